"""Rate limits: buckets that empty and fill, in Redis and in this process alike, and what happens in an outage."""

import os
import random
import threading
from datetime import UTC, datetime, timedelta

import pytest
import redis

from apps.kit import ids, rate_limits
from apps.kit.rate_limits import BucketsHere, BucketsInRedis, InOutage, Limit
from script.devkit import ports

NOW = datetime(2026, 11, 24, 7, 40, tzinfo=UTC)
AT = NOW.timestamp()


def limit(name="key", quota=4, window=2, cost=1, bucket=""):
    return Limit(name, bucket or f"test:{name}", quota, window, cost)


@pytest.fixture(params=["here", "redis"])
def buckets(request):
    if request.param == "here":
        return BucketsHere()
    url = os.environ["TREASURY_REDIS_URL"]
    with redis.Redis.from_url(url) as client:
        for key in client.scan_iter("rate:test:*"):
            client.delete(key)
    return BucketsInRedis(url)


def test_gives_what_the_bucket_holds_and_fills_it_evenly(buckets):
    given = [buckets.take([limit()], AT + after).is_allowed for after in (0, 0, 0, 0, 0, 0.4, 0.5, 0.5, 9, 9)]

    assert given == [True, True, True, True, False, False, True, False, True, True]
    assert buckets.take([limit()], AT + 9).tokens == [1.0]


def test_says_how_long_to_wait_and_what_is_left(buckets):
    first = buckets.take([limit(), limit("money", quota=1)], AT)
    second = buckets.take([limit(), limit("money", quota=1)], AT)

    assert first.headers == {
        "RateLimit-Policy": '"key";q=4;w=2, "money";q=1;w=2',
        "RateLimit": '"key";r=3;t=1, "money";r=0;t=2',
    }
    assert (second.is_allowed, second.exhausted, second.wait) == (False, ["money"], 2.0)
    assert second.tokens == [3.0, 0.0]  # nothing was taken from the other one


def test_takes_what_a_request_costs(buckets):
    assert [buckets.take([limit(cost=3)], AT).is_allowed for _ in range(2)] == [True, False]
    assert buckets.take([limit(cost=1)], AT).is_allowed


def test_what_is_given_back_may_be_taken_again_and_never_more_than_the_quota(buckets):
    assert buckets.take([limit(quota=1)], AT).is_allowed
    assert buckets.take([limit(quota=1, cost=-1)], AT).is_allowed
    buckets.take([limit(quota=1, cost=-1)], AT)

    assert [buckets.take([limit(quota=1)], AT).is_allowed for _ in range(2)] == [True, False]


def test_a_clock_that_goes_back_gives_nothing_and_takes_nothing_for_long(buckets):
    for _ in range(4):
        buckets.take([limit()], AT + 1)

    assert buckets.take([limit()], AT).is_allowed is False
    assert buckets.take([limit()], AT - 3600).is_allowed is False
    assert buckets.take([limit()], AT - 3600 + 0.5).is_allowed is True


def test_both_places_count_alike(monkeypatch):
    monkeypatch.setattr(rate_limits, "PATIENCE", 10.0)  # a machine that stands still has Redis asked twice
    dice, here = random.Random(7), BucketsHere()
    shared = BucketsInRedis(os.environ["TREASURY_REDIS_URL"])
    at, mark = AT, ids.token(4)
    for _ in range(200):
        at += dice.choice([0, 0.01, 0.3, 1.7])
        wanted = [
            limit(name, quota, window, dice.choice([1, 1, 2]), f"test:{mark}:{name}")
            for name, quota, window in (("a", 5, 2), ("b", 9, 7))
        ]
        one, other = here.take(wanted, at), shared.take(wanted, at)
        assert one.is_allowed == other.is_allowed
        assert one.tokens == pytest.approx(other.tokens)


def test_asks_redis_once_for_all_buckets(monkeypatch):
    shared = BucketsInRedis(os.environ["TREASURY_REDIS_URL"])
    shared.take([limit()], AT)
    asked = []
    send = redis.Redis.execute_command
    monkeypatch.setattr(
        redis.Redis,
        "execute_command",
        lambda *said, **options: asked.append(said[1]) or send(*said, **options),
    )

    shared.take([limit(), limit("money"), limit("organisation")], AT)

    assert asked == ["EVALSHA"]


def test_many_threads_get_no_more_than_there_is(buckets):
    allowed, gate = [], threading.Barrier(8)

    def ask():
        gate.wait(5)
        allowed.extend(buckets.take([limit(quota=10)], AT).is_allowed for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert (len(allowed), sum(allowed)) == (40, 10)


def test_a_process_holds_no_more_buckets_than_it_should(monkeypatch):
    monkeypatch.setattr(rate_limits, "BUCKETS_MAX", 3)
    here = BucketsHere()

    for number in range(10):
        here.take([limit(bucket=f"b{number}")], AT)

    assert list(here._held) == ["b7", "b8", "b9"]


@pytest.fixture
def away(settings):
    """Redis is away: nobody listens at its address."""
    url = f"redis://127.0.0.1:{ports.choose(taken=set())}/0"
    settings.TREASURY = {**settings.TREASURY, "RATE_LIMIT_URL": url}
    yield
    rate_limits.shared.cache_clear()


def test_in_an_outage_it_lets_in_counts_here_or_refuses_and_says_so_once(away, caplog):
    wanted = [limit(quota=2)]

    reads = [rate_limits.take(wanted, now=NOW, in_outage=InOutage.LET_IN) for _ in range(3)]
    writes = [rate_limits.take(wanted, now=NOW, in_outage=InOutage.COUNT_HERE) for _ in range(3)]

    assert [verdict.is_allowed for verdict in reads] == [True, True, True]
    assert reads[0].headers == {}
    assert [verdict.is_allowed for verdict in writes] == [True, True, False]
    with pytest.raises(rate_limits.Uncounted):
        rate_limits.take(wanted, now=NOW, in_outage=InOutage.REFUSE)
    later = rate_limits.take(wanted, now=NOW + timedelta(minutes=1), in_outage=InOutage.LET_IN)
    assert later.is_allowed
    assert sum("rate_limits_unavailable" in record.getMessage() for record in caplog.records) == 1


def test_after_an_outage_redis_counts_again(settings, monkeypatch):
    settings.TREASURY = {**settings.TREASURY, "RATE_LIMIT_URL": os.environ["TREASURY_REDIS_URL"]}
    shared = rate_limits.shared(os.environ["TREASURY_REDIS_URL"])
    wanted = [limit(quota=1, bucket=f"test:{ids.token(4)}")]
    script = shared._script

    def broken(**_):
        raise redis.ConnectionError

    monkeypatch.setattr(shared, "_script", broken)
    assert rate_limits.take(wanted, now=NOW, in_outage=InOutage.LET_IN).limits == ()
    monkeypatch.setattr(shared, "_script", script)

    def read(seconds):
        return rate_limits.take(
            wanted, now=NOW + timedelta(seconds=seconds), in_outage=InOutage.LET_IN
        ).limits

    assert (read(4), len(read(5))) == ((), 1)
    assert shared._resting_until == 0.0
