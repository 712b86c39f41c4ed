"""
A partner's own server, for the bench: tells its port on the first line, then reads each webhook and answers 204. It keeps
connections open, as servers do.
"""

import asyncio
from contextlib import suppress

ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"
LENGTH = b"content-length:"


async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(asyncio.IncompleteReadError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            announced = [line for line in head.lower().split(b"\r\n") if line.startswith(LENGTH)]
            await reader.readexactly(int(announced[0].removeprefix(LENGTH)))
            writer.write(ANSWER)
            await writer.drain()
    writer.close()


async def main() -> None:
    server = await asyncio.start_server(receive, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
