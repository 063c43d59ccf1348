#!/usr/bin/env python3
"""Sockets of the host in a bind mount: refused without --host-uds=open, reached with it."""
import json, os, socket, threading
from sbxtest import SandboxTest, main

GUEST = r'''
import array, errno, os, select, socket, sys, threading

def connect(path, **kw):
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)
    return s

def all_of(s):
    out = b''
    while True:
        d = s.recv(65536)
        if not d:
            return out
        out += d

def fails(fn, *args):
    try:
        fn(*args)
    except OSError as e:
        return errno.errorcode[e.errno]
    return 'ok'

def swap(path, data):
    s = connect(path)
    def send():
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
    t = threading.Thread(target=send)
    t.start()
    got = all_of(s)
    t.join()
    s.close()
    return got
'''


class Sockets(SandboxTest):
    def setUp(self):
        super().setUp()
        self.dir = os.path.join(self.work, 'run')
        os.mkdir(self.dir)
        self.ended, self.servers = [], []

    def tearDown(self):
        for s in self.servers:
            s.close()
        super().tearDown()

    def serve(self, name, fn, backlog=100):
        server = socket.socket(socket.AF_UNIX)
        server.bind(os.path.join(self.dir, name))
        server.listen(backlog)
        self.servers.append(server)

        def one(c):
            with c:
                fn(c)
            self.ended.append(name)

        def loop():
            while True:
                try:
                    c = server.accept()[0]
                except OSError:
                    return
                threading.Thread(target=one, args=(c,), daemon=True).start()
        threading.Thread(target=loop, daemon=True).start()

    @staticmethod
    def echo(c):
        while True:
            d = c.recv(65536)
            if not d:
                return
            c.sendall(d)

    def run_guest(self, script, *flags, file=None):
        c = self.config('python3', '-c', GUEST + script)
        c['mounts'].append({'destination': '/mnt', 'type': 'bind', 'source': self.dir, 'options': ['rbind', 'rw']})
        if file:
            c['mounts'].append({'destination': '/tmp/x.sock', 'type': 'bind', 'source': f'{self.dir}/{file}', 'options': ['bind', 'rw']})
        self.write_config(json.dumps(c))
        return self.sbx('run', 'one', flags=flags)

    def test_refused(self):
        self.serve('echo', self.echo)
        logs = os.path.join(self.work, 'logs')
        p = self.run_guest('print(fails(connect, "/mnt/echo"), fails(connect, "/mnt/echo"))', '--debug-log', logs)
        self.assertEqual((p.returncode, p.stdout), (0, 'ECONNREFUSED ECONNREFUSED\n'), p.stderr)
        with open(os.path.join(logs, next(f for f in os.listdir(logs) if f.endswith('.fsd')))) as f:
            text = f.read()
        self.assertEqual(text.count('refused without --host-uds=open'), 1)
        p = self.run_guest('', file='echo')
        self.assertNotEqual(p.returncode, 0)
        self.assertIn('/echo: a socket of the host is only mounted with --host-uds=open', p.stderr)
        self.assertEqual(self.ended, [])

    def test_open(self):
        self.serve('echo', self.echo)
        self.serve('short', lambda c: c.sendall(b'bye'))
        self.serve('deaf', lambda c: c.recv(1))
        p = self.run_guest(r"""
for path in '/mnt/echo', '/tmp/x.sock':
    data = os.urandom(3000000)
    print(swap(path, data) == data, swap(path, b'') == b'')
# many at once, each its own bytes
socks = [connect('/mnt/echo') for _ in range(200)]
for i, s in enumerate(socks):
    s.sendall(b'%d' % i)
print(all(s.recv(100) == b'%d' % i for i, s in enumerate(socks)))
for s in socks:
    s.close()
# readiness
s = connect('/mnt/echo')
s.setblocking(False)
p = select.poll()
p.register(s, select.POLLIN)
print(p.poll(0), fails(s.recv, 1))
s.send(b'x')
print([e for _, e in p.poll(5000)], s.recv(10))
print(fails(socket.send_fds, s, [b'y'], [0]), s.getpeername(), s.getsockname())
# the other end goes first
s = connect('/mnt/short')
print(all_of(s))
s = connect('/mnt/deaf')
def flood():
    while True:
        s.send(b'x' * 65536)
print(fails(flood) in ('EPIPE', 'ECONNRESET'))
# what does not listen, what is no socket, other types, what the container itself binds
print(fails(connect, '/mnt/nothing'), fails(connect, '/mnt'))
print(fails(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).connect, '/mnt/echo'))
own = socket.socket(socket.AF_UNIX)
own.bind('/mnt/own')
own.listen()
a = connect('/mnt/own')
own.accept()[0].send(b'mine')
print(a.recv(10))
own.close()
print(fails(connect, '/mnt/own'))
""", '--host-uds=open', file='echo')
        self.assertEqual(p.returncode, 0, p.stderr)
        self.assertEqual(p.stdout.splitlines(), [
            'True True', 'True True', 'True', '[] EAGAIN', "[1] b'x'", 'ENOTSUP /mnt/echo ', "b'bye'", 'True',
            'ENOENT ECONNREFUSED', 'ECONNREFUSED', "b'mine'", 'ECONNREFUSED'], p.stderr)
        self.assertEqual(self.ended.count('echo'), 205)

    def test_a_full_queue(self):
        server = socket.socket(socket.AF_UNIX)
        server.bind(self.dir + '/slow')
        server.listen(1)
        self.servers.append(server)

        def later():
            for _ in range(6): # two of those that do not wait come in
                c = server.accept()[0]
                c.sendall(b'served')
                c.close()
        threading.Timer(1, later).start()
        p = self.run_guest(r"""
socks = [socket.socket(socket.AF_UNIX) for _ in range(8)]
for s in socks[:4]:
    s.setblocking(False)
print('EAGAIN' in [fails(s.connect, '/mnt/slow') for s in socks[:4]])
for s in socks[4:]:
    s.connect('/mnt/slow')
print([all_of(s) for s in socks[4:]])
""", '--host-uds=open')
        self.assertEqual(p.stdout, f'True\n{[b"served"] * 4}\n', p.stderr)


if __name__ == '__main__':
    main()
