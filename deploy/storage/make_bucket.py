"""Makes the bucket that TREASURY_STORAGE_BUCKET names, with versions and object lock; safe to repeat."""

import os

import boto3
from botocore.config import Config


def main() -> None:
    name = os.environ["TREASURY_STORAGE_BUCKET"]
    client = boto3.client(
        "s3",
        endpoint_url=os.environ["TREASURY_STORAGE_ENDPOINT_URL"],
        region_name=os.environ.get("TREASURY_STORAGE_REGION") or "us-east-1",
        aws_access_key_id=os.environ["TREASURY_STORAGE_ACCESS_KEY"],
        aws_secret_access_key=os.environ["TREASURY_STORAGE_SECRET_KEY"],
        config=Config(s3={"addressing_style": "path"}),
    )
    if name not in [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]:
        client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)


if __name__ == "__main__":
    main()
