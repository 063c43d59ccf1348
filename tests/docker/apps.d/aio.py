"""A service of lines: what each word does uses another part of asyncio."""
import asyncio, concurrent.futures, hashlib, signal, sys

clients = 0


async def child():
    p = await asyncio.create_subprocess_exec('tr', 'a-z', 'A-Z', stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    out, _ = await p.communicate(b'word' * 50000)
    many = await asyncio.gather(*(asyncio.create_subprocess_shell(f'exit {i}') for i in range(20)))
    return f'{hashlib.sha256(out).hexdigest()[:12]} {sum([await m.wait() for m in many])}'


async def pool():
    loop = asyncio.get_running_loop()
    with concurrent.futures.ProcessPoolExecutor(3) as workers:
        got = await asyncio.gather(*(loop.run_in_executor(workers, pow, 3, i, 1000003) for i in range(50)))
    return f'{sum(got)} {sum(await asyncio.gather(*(asyncio.to_thread(pow, 2, i, 97) for i in range(200))))}'


async def timer():
    order = []
    async def late(n):
        await asyncio.sleep(n / 20)
        order.append(n)
    await asyncio.gather(*(late(n) for n in (5, 1, 3, 2, 4)))
    try:
        await asyncio.wait_for(asyncio.sleep(10), 0.1)
    except asyncio.TimeoutError:
        order.append('timeout')
    return str(order)


async def file():
    with open('/tmp/aio', 'wb') as f:
        f.write(b'q' * 3000000)
    a, b = await asyncio.open_connection('127.0.0.1', 7001)
    data = await a.read()
    b.close()
    return hashlib.sha256(data).hexdigest()[:12]


async def udp():
    loop, done = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()
    class Echo(asyncio.DatagramProtocol):
        def connection_made(self, t): self.t = t
        def datagram_received(self, data, addr): self.t.sendto(data[::-1], addr)
    class Ask(asyncio.DatagramProtocol):
        def connection_made(self, t): t.sendto(b'abc')
        def datagram_received(self, data, addr): done.set_result(data.decode())
    s, _ = await loop.create_datagram_endpoint(Echo, ('127.0.0.1', 7002))
    c, _ = await loop.create_datagram_endpoint(Ask, remote_addr=('127.0.0.1', 7002))
    try:
        return await asyncio.wait_for(done, 5)
    finally:
        s.close()
        c.close()


async def send_file(reader, writer):
    with open('/tmp/aio', 'rb') as f:
        await asyncio.get_running_loop().sendfile(writer.transport, f)
    writer.close()


async def serve(reader, writer):
    global clients
    clients += 1
    while line := (await reader.readline()).decode().split():
        if line[0] == 'sum':
            got = str(int(line[1]) * 2)
        elif line[0] == 'count':
            got = str(clients)
        else:
            got = await {'child': child, 'pool': pool, 'timer': timer, 'file': file, 'udp': udp}[line[0]]()
        writer.write((got + '\n').encode())
        await writer.drain()
    writer.close()


async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await asyncio.start_server(send_file, '127.0.0.1', 7001)
    await asyncio.start_server(serve, '0.0.0.0', 7000, backlog=512)
    await stop.wait()
    print('stopped by the signal', flush=True)
    sys.exit(4)


if __name__ == '__main__':
    asyncio.run(main())
