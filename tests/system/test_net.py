#!/usr/bin/env python3
"""A sandbox on a network: what it takes from its namespace and gives back, traffic both ways over IPv4 and IPv6, what
programs see of the configuration, and the death of the network's process."""
import json, os, re, signal, struct, subprocess, time
from sbxtest import comm, descendants, main
from networld import NetTest, ip, run

READ_ALL = '''
import hashlib, socket
def digest(s):
    h, n = hashlib.sha256(), 0
    while True:
        b = s.recv(65536)
        if not b:
            return n, h.hexdigest()
        h.update(b)
        n += len(b)
def pour(s, size):
    import random
    r, h = random.Random(size), hashlib.sha256()
    while size:
        b = r.randbytes(min(size, 300000))
        h.update(b)
        s.sendall(b)
        size -= len(b)
    s.shutdown(socket.SHUT_WR)
    return h.hexdigest()
'''


class Take(NetTest):
    def test_addresses_leave_and_return(self):
        """While the sandbox lives the host's kernel has no address to answer for; afterwards all is as it was."""
        ns = self.boxes[0]
        ip(ns, 'route', 'add', '10.99.0.0/16', 'via', '10.77.0.9', 'metric', '7')
        time.sleep(2)  # the link-local address has been looked for on the link
        before = self.addresses(ns), self.routes(ns)
        for how in (None, signal.SIGTERM, signal.SIGKILL):
            p = self.box('import signal, sys, time\nsignal.signal(15, lambda *a: sys.exit())\nprint("up")\ntime.sleep(30)'
                         if how else 'print("up")')
            self.assertEqual(self.line(p), 'up')
            if how:
                self.assertEqual(self.addresses(ns), [])
                self.assertEqual(self.routes(ns), [])
                p.send_signal(how)
            p.communicate()
            deadline = time.time() + 5
            while (self.addresses(ns), self.routes(ns)) != before and time.time() < deadline:
                time.sleep(0.05)
            self.assertEqual((self.addresses(ns), self.routes(ns)), before, f'after {how}')

    def received(self, ns):
        """How many IP packets the host's own stack had to look at in a namespace, but for those of its loopback interface."""
        out = run('ip', 'netns', 'exec', ns, 'cat', '/proc/net/snmp', '/proc/net/snmp6')
        v4 = [l.split() for l in out.splitlines() if l.startswith('Ip:')]
        return int(v4[1][v4[0].index('InReceives')]) + int(re.search(r'Ip6InReceives\s+(\d+)', out).group(1))

    def test_host_does_not_look_at_frames(self):
        """Linux 6.6: what comes in over a taken interface ends behind the packet socket; and no longer afterwards."""
        if tuple(int(n) for n in os.uname().release.split('-')[0].split('.')[:2]) < (6, 6):
            self.skipTest('needs Linux 6.6')
        ns = self.boxes[0]
        for how in (signal.SIGTERM, signal.SIGKILL):
            p = self.box('import signal, socket, sys\nsignal.signal(15, lambda *a: sys.exit())\n'
                         's = socket.create_server(("0.0.0.0", 80))\nprint("up")\nwhile True:\n  c = s.accept()[0]\n  c.send(c.recv(9))\n  c.close()')
            self.assertEqual(self.line(p), 'up')
            before = self.received(ns)
            ask = ('import socket\nfor i in range(20):\n  s = socket.create_connection(("10.77.0.2", 80))\n  s.send(b"x"); '
                   's.recv(9); s.close()\nprint("done")')
            self.assertEqual(run('ip', 'netns', 'exec', self.host, 'python3', '-c', ask), 'done\n')
            self.assertEqual(self.received(ns), before)
            p.send_signal(how)
            p.communicate()
            deadline = time.time() + 5
            while not self.addresses(ns) and time.time() < deadline:
                time.sleep(0.05)
            while self.received(ns) == before and time.time() < deadline:
                run('ip', 'netns', 'exec', self.host, 'python3', '-c', 'import socket\n'
                    'socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("10.77.0.2", 9))')
                time.sleep(0.05)
            self.assertGreater(self.received(ns), before, f'after {how}')

    def test_what_the_sandbox_sees(self):
        """Interfaces, addresses, routes and neighbours, by rtnetlink, /proc, /sys and ioctl."""
        p = self.box(r'''
            import ctypes, ctypes.util, fcntl, socket, struct
            print(socket.if_nameindex(), socket.if_nametoindex('eth0'))
            print(open('/sys/class/net/eth0/address').read().strip(), open('/sys/class/net/eth0/mtu').read().strip())
            print([l.split() for l in open('/proc/net/route').read().splitlines()][1][:3])
            print(sorted(l.split()[0] for l in open('/proc/net/if_inet6') if 'eth0' in l and l.startswith('fd')))
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            print(socket.inet_ntoa(fcntl.ioctl(s, 0x8915, struct.pack('16s24x', b'eth0'))[20:24]))
            n = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
            n.bind((0, 0))
            n.send(struct.pack('=IHHIIB3x', 20, 22, 0x301, 5, 0, 0))
            got, done = set(), False
            while not done:
                b = n.recv(65536)
                while b:
                    size, kind = struct.unpack('=IH', b[:6])
                    done |= kind == 3
                    if kind == 20:
                        at = b[24:size]
                        while at:
                            l, t = struct.unpack('=HH', at[:4])
                            if t == 1:
                                got.add(socket.inet_ntop(socket.AF_INET if l == 8 else socket.AF_INET6, at[4:l]))
                            at = at[l + 3 & ~3:]
                    b = b[size + 3 & ~3:]
            print(sorted(a for a in got if not a.startswith('fe80')))
        ''')
        mac = json.loads(ip(self.boxes[0], '-j', 'link', 'show', 'eth0'))[0]['address']
        lines = self.out(p).splitlines()
        self.assertEqual(re.sub(r'\d+', 'N', lines[0]), "[(N, 'lo'), (N, 'ethN')] N")
        self.assertEqual(lines[1], f'{mac} 1500')
        self.assertEqual(lines[2], "['eth0', '00000000', '01004D0A']")
        self.assertEqual(lines[3], "['fd770000000000000000000000000002']")
        self.assertEqual(lines[4], '10.77.0.2')
        self.assertEqual(lines[5], "['10.77.0.2', '127.0.0.1', '::1', 'fd77::2']")

    def test_none(self):
        """--network=none has the loopback interface and leaves the namespace alone."""
        self.use(self.boxes[0], 'python3', '-c', 'import socket; print(socket.if_nameindex()); '
                 's = socket.create_server(("127.0.0.1", 0)); socket.create_connection(s.getsockname())\n'
                 'try:\n socket.create_connection(("10.77.0.1", 1))\nexcept OSError as e: print(e.errno)')
        before = self.addresses(self.boxes[0])
        p = self.sbx('run', 'none', flags=('--network=none',))
        self.assert_ok(p)
        self.assertEqual(p.stdout, "[(1, 'lo')]\n101\n")
        self.assertEqual(self.addresses(self.boxes[0]), before)

    def test_host(self):
        """--network=host: the sockets are those of the kernel beneath, in the container's namespace; what is there is seen and
        stays, and what needs rights over it is refused."""
        ns = self.boxes[0]
        before = self.addresses(ns), self.routes(ns)
        p = self.box(READ_ALL + r'''
import os
print([n for i, n in socket.if_nameindex()])
l = socket.create_server(('0.0.0.0', 5001))
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.bind(('10.77.0.2', 5002))
print('up')
c, who = l.accept()
print(who[0], *digest(c))
print(pour(c, 3000000))
c.close()
data, who = u.recvfrom(1000)
print(data, who[0])
u.sendto(b'back', who)
try:
    socket.create_connection(('10.77.0.1', 1))
except OSError as e:
    print(e.errno)
s = socket.create_connection(('10.77.0.1', 5003), 10)
s.settimeout(10)
print(s.recv(100), s.getpeername())
for kind in ((socket.AF_INET, socket.SOCK_RAW, 1),):
    try:
        socket.socket(*kind).sendto(b'x' * 8, ('10.77.0.1', 0))
    except OSError as e:
        print(e.errno)
pid = os.fork()
if not pid:
    x = socket.create_connection(('127.0.0.1', 5001)); x.sendall(b'from within'); os._exit(0)
c, who = l.accept()
print(c.recv(100)); os.wait()
time = __import__('time'); time.sleep(1)
''', flags=('--network=host',))
        self.assertEqual(self.line(p), "['lo', 'eth0']")
        self.assertEqual(self.line(p), 'up')
        self.assertEqual((self.addresses(ns), self.routes(ns)), before)
        self.assertIn(':5001', run('ip', 'netns', 'exec', ns, 'ss', '-Htln'))
        q = self.outside(READ_ALL + r'''
l = socket.create_server(('10.77.0.1', 5003))
s = socket.create_connection(('10.77.0.2', 5001))
print(pour(s, 2000000))
print(*digest(s))
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.sendto(b'ahoy', ('10.77.0.2', 5002))
print(u.recvfrom(100))
c, who = l.accept()
c.sendall(b'welcome')
c.close()
''')
        there = self.out(q).split('\n')
        here = self.out(p).split('\n')
        self.assertEqual(here[0], f'10.77.0.1 2000000 {there[0]}')
        self.assertEqual(there[1], f'3000000 {here[1]}')
        self.assertEqual(there[2], "(b'back', ('10.77.0.2', 5002))")
        self.assertEqual(here[2:-1], ["b'ahoy' 10.77.0.1", '111', "b'welcome' ('10.77.0.1', 5003)", '1', "b'from within'"])
        self.assertEqual((self.addresses(ns), self.routes(ns)), before)

    def test_host_must_be_asked_for(self):
        """A bundle without a network namespace gets the host's sockets only from who says so."""
        kinds = [{'type': t} for t in ('pid', 'ipc', 'uts', 'mount')]
        self.config('python3', '-c', 'import socket; print(len(socket.if_nameindex()) > 0)', linux__namespaces=kinds)
        p = self.sbx('run', 'x')
        self.assertEqual(p.returncode, 1)
        self.assertIn('--network=host', p.stderr)
        p = self.sbx('run', 'x', flags=('--network=host',))
        self.assert_ok(p)
        self.assertEqual(p.stdout, 'True\n')
        self.assertIn('the host kernel', p.stderr)

    def test_refused(self):
        self.use(self.boxes[0])
        p = self.sbx('run', 'x', flags=('--network=nat',))
        self.assertEqual(p.returncode, 1)
        self.assertIn('--network=nat', p.stderr)


class Traffic(NetTest):
    def test_streams(self):
        """Eight megabytes each way over both families, the sandbox listening and connecting, with equal digests."""
        p = self.box(READ_ALL + r'''
for family, here in ((socket.AF_INET, '0.0.0.0'), (socket.AF_INET6, '::')):
    l = socket.create_server((here, 7000), family=family)
    print('listening')
    c, a = l.accept()
    print(a[0], *digest(c))
    print(pour(c, 8000000))
    c.close()
    l.close()
for peer in ('10.77.0.1', 'fd77::1'):
    print('ready')
    input_ = None
    for i in range(200):
        try:
            s = socket.create_connection((peer, 7001))
            break
        except ConnectionRefusedError:
            import time; time.sleep(0.05)
    print(pour(s, 8000001))
    print(*digest(s))
''')
        host = self.outside(READ_ALL + r'''
import time
for peer in ('10.77.0.2', 'fd77::2'):
    for i in range(200):
        try:
            s = socket.create_connection((peer, 7000))
            break
        except OSError:
            time.sleep(0.05)
    print(pour(s, 8000000))
    print(*digest(s))
for family, here in ((socket.AF_INET, '10.77.0.1'), (socket.AF_INET6, 'fd77::1')):
    l = socket.create_server((here, 7001), family=family)
    c, a = l.accept()
    print(*digest(c))
    print(pour(c, 8000001))
    c.close()
    l.close()
''')
        inside, outside = self.out(p, 60).splitlines(), self.out(host, 60).splitlines()
        self.assertEqual(inside[0::3][:2], ['listening', 'listening'])
        for k, peer in ((0, '10.77.0.1'), (1, 'fd77::1')):
            self.assertEqual(inside[3 * k + 1], f'{peer} 8000000 {outside[2 * k]}')
            self.assertEqual(f'8000000 {inside[3 * k + 2]}', outside[2 * k + 1])
        for k in (2, 3):
            self.assertEqual(f'8000001 {inside[3 * k + 1]}', outside[2 * k])
            self.assertEqual(inside[3 * k + 2], f'8000001 {outside[2 * k + 1]}')

    def test_datagrams(self):
        """UDP of every size up to 60,000 bytes, which needs fragments, there and back."""
        p = self.box(r'''
            import socket
            s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            s.bind(('::', 7002))
            print('up')
            while True:
                b, a = s.recvfrom(65536)
                s.sendto(b[::-1], a)
                if b == b'end':
                    break
        ''')
        self.assertEqual(self.line(p), 'up')
        host = self.outside(r'''
            import socket
            for peer in ('10.77.0.2', 'fd77::2'):
                s = socket.create_connection if False else socket.socket(socket.AF_INET6 if ':' in peer else socket.AF_INET, socket.SOCK_DGRAM)
                s.settimeout(3)
                s.connect((peer, 7002))
                for size in (0, 1, 100, 1400, 1472, 1473, 2000, 9000, 30000, 60000):
                    b = bytes(i * 7 & 255 for i in range(size))
                    s.send(b)
                    assert s.recv(65536) == b[::-1], size
            s.send(b'end')
            print('all')
        ''')
        self.assertEqual(self.out(host), 'all\n')
        self.out(p)

    def test_refusals(self):
        """Closed ports, absent neighbours and unknown networks say so, with the errors that programs know."""
        p = self.box(r'''
            import errno, socket, time
            def attempt(where, family=socket.AF_INET):
                s = socket.socket(family, socket.SOCK_STREAM)
                s.settimeout(8)
                try:
                    s.connect(where)
                    return 'connected'
                except OSError as e:
                    return errno.errorcode.get(e.errno, str(e))
            print(attempt(('10.77.0.1', 9)), attempt(('fd77::1', 9), socket.AF_INET6))
            print(attempt(('10.77.0.200', 9)))
            u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            u.settimeout(5)
            u.connect(('10.77.0.1', 9))
            u.send(b'x')
            try:
                u.recv(1)
            except OSError as e:
                print(errno.errorcode[e.errno])
        ''')
        self.assertEqual(self.out(p), 'ECONNREFUSED ECONNREFUSED\nEHOSTUNREACH\nECONNREFUSED\n')

    def test_multicast(self):
        p = self.box(r'''
            import socket, struct
            a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            a.bind(('', 7003))
            a.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton('239.1.2.3') + socket.inet_aton('10.77.0.2'))
            b = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            b.bind(('::', 7004))
            b.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                         socket.inet_pton(socket.AF_INET6, 'ff05::77') + struct.pack('=I', socket.if_nametoindex('eth0')))
            print('joined')
            print(a.recvfrom(100)[0], b.recvfrom(100)[0])
            a.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton('10.77.0.2'))
            a.sendto(b'from inside', ('239.9.9.9', 7005))
        ''')
        host = self.outside(r'''
            import socket, struct, sys
            r = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            r.bind(('', 7005))
            r.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton('239.9.9.9') + socket.inet_aton('10.77.0.1'))
            r.settimeout(0.2)
            a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            a.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton('10.77.0.1'))
            b = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            b.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex('br0'))
            for i in range(100):
                a.sendto(b'four', ('239.1.2.3', 7003))
                b.sendto(b'six', ('ff05::77', 7004))
                try:
                    print(r.recvfrom(100)[0], r and 'heard')
                    break
                except TimeoutError:
                    pass
        ''')
        self.assertEqual(self.line(p), 'joined')
        self.assertEqual(self.out(p), "b'four' b'six'\n")
        self.assertEqual(self.out(host), "b'from inside' heard\n")

    def test_ping(self):
        p = self.box('print("up")\nimport subprocess\n'
                     'for v, a in (("ping", "10.77.0.1"), ("ping6", "fd77::1")):\n'
                     '    print(subprocess.run(["busybox", v, "-c", "2", "-i", "0.2", a], capture_output=True, text=True).stdout, flush=True)\n'
                     'import sys, time; time.sleep(3)')
        self.assertEqual(self.line(p), 'up')
        host = self.outside(r'''
            import os, socket, struct
            def sum16(b):
                t = sum(struct.unpack('>%dH' % (len(b) // 2), b))
                while t >> 16:
                    t = (t & 0xffff) + (t >> 16)
                return ~t & 0xffff
            for family, proto, peer, kind in ((socket.AF_INET, socket.IPPROTO_ICMP, '10.77.0.2', 8),
                                              (socket.AF_INET6, socket.IPPROTO_ICMPV6, 'fd77::2', 128)):
                s = socket.socket(family, socket.SOCK_RAW, proto)
                s.settimeout(3)
                body = struct.pack('>BBHHH', kind, 0, 0, 77, 1) + b'payload!' * 20
                if family == socket.AF_INET:
                    body = body[:2] + struct.pack('>H', sum16(body)) + body[4:]
                s.sendto(body, (peer, 0))
                while True:
                    b = s.recv(2000)
                    b = b[20:] if family == socket.AF_INET else b
                    if b[0] in (0, 129):
                        print(b[0], b[8:16])
                        break
        ''')
        self.assertEqual(self.out(host), "0 b'payload!'\n129 b'payload!'\n")
        text = self.out(p)
        self.assertEqual(text.count('2 packets transmitted, 2 packets received, 0% packet loss'), 2, text)

    def test_resolver(self):
        """A name server at 127.0.0.11 of the namespace, as Docker has it, answers inside, to many at once."""
        server = self.outside(r'''
            import socket
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.bind(('127.0.0.11', 53))
            print('up')
            while True:
                b, a = s.recvfrom(4096)
                n = b.index(0, 12) + 5
                v4 = b[n - 4:n - 2] == b'\0\1'
                s.sendto(b[:2] + b'\x81\x80\0\1\0' + bytes([v4]) + bytes(4) + b[12:n] +
                         (b'\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\7\7' + bytes([b[13]]) if v4 else b''), a)
        ''', self.boxes[0])
        self.assertEqual(self.line(server), 'up')
        conf = os.path.join(self.work, 'resolv.conf')
        with open(conf, 'w') as f:
            f.write('search example\nnameserver 127.0.0.11\noptions ndots:0\n')
        c = self.use(self.boxes[0], 'python3', '-c', 'import socket\nfrom concurrent.futures import ThreadPoolExecutor\n'
                     'with ThreadPoolExecutor(16) as e:\n'
                     '    print(list(e.map(lambda i: socket.gethostbyname(f"{chr(97 + i % 26)}.test{i}"), range(52))))')
        c['mounts'].append({'destination': '/etc/resolv.conf', 'type': 'bind', 'source': conf, 'options': ['bind', 'ro']})
        self.write_config(json.dumps(c))
        p = self.sbx('run', 'resolver', flags=('--overlay=memory',))
        self.assert_ok(p)
        self.assertEqual(eval(p.stdout), [f'10.7.7.{97 + i % 26}' for i in range(52)])
        server.kill()

    def test_resolver_tcp(self):
        """The same over TCP: many callers at once and one after another, long answers, ends of both sides; and the name server's port
        is free for a server of the container's own."""
        server = self.outside(r'''
            import socket, threading
            def serve(c):
                f = c.makefile("rb")
                while True:
                    n = f.read(2)
                    if len(n) < 2:
                        break
                    q = f.read(int.from_bytes(n, "big"))
                    if q == b"bye":
                        break
                    a = q * (60000 // len(q))
                    c.sendall(len(a).to_bytes(2, "big") + a)
                c.sendall(b"\0\3end")
                f.close()
                c.close()
            u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            u.bind(("127.0.0.11", 53))
            l = socket.create_server(("127.0.0.11", 53), backlog=64)
            print("up")
            while True:
                threading.Thread(target=serve, args=(l.accept()[0],), daemon=True).start()
        ''', self.boxes[0])
        self.assertEqual(self.line(server), 'up')
        conf = os.path.join(self.work, 'resolv.conf')
        with open(conf, 'w') as f:
            f.write('nameserver 127.0.0.11\n')
        c = self.use(self.boxes[0], 'python3', '-c', '''
import socket, time
from concurrent.futures import ThreadPoolExecutor

def call():
    s = socket.create_connection(("127.0.0.11", 53), timeout=20)
    return s, s.makefile("rb")

def ask(s, f, q):
    s.sendall(len(q).to_bytes(2, "big") + q)
    return f.read(int.from_bytes(f.read(2), "big"))

def many(i):
    s, f = call()
    q = b"question %d" % i
    ok = all(ask(s, f, q) == q * (60000 // len(q)) for _ in range(3))
    if i % 3 == 0:
        s.shutdown(socket.SHUT_WR)
        ok = ok and f.read() == b"\\0\\3end"
    elif i % 3 == 1:
        s.sendall(b"\\0\\3bye")
        ok = ok and f.read() == b"\\0\\3end"
    f.close()
    s.close()
    return ok

with ThreadPoolExecutor(24) as e:
    print(all(e.map(many, range(120))))
for _ in range(20):  # whoever goes without a word, or in the middle of an answer, keeps no line
    s, f = call()
    f.close()
    s.close()
    s, f = call()
    s.sendall(b"\\0\\5hello")
    s.recv(1)
    f.close()
    s.close()
print(many(0))
own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
own.bind(("0.0.0.0", 53))
l = socket.create_server(("", 53))
c = socket.create_connection(("127.0.0.1", 53))
l.accept()[0].sendall(b"mine")
print(c.recv(4), many(1))
''', process__capabilities={k: ['CAP_NET_BIND_SERVICE'] for k in ('bounding', 'effective', 'permitted')})
        c['mounts'].append({'destination': '/etc/resolv.conf', 'type': 'bind', 'source': conf, 'options': ['bind', 'ro']})
        self.write_config(json.dumps(c))
        p = self.sbx('run', 'resolver', flags=('--overlay=memory',))
        self.assert_ok(p)
        self.assertEqual(p.stdout, "True\nTrue\nb'mine' True\n")
        server.kill()

    def test_what_the_operator_sees(self):
        """`net` lists sockets, `debug` has figures of the network."""
        p = self.box('import socket, time\nl = socket.create_server(("0.0.0.0", 7010))\nu = socket.socket(2, 2)\n'
                     'u.bind(("10.77.0.2", 7011))\nprint("up")\nc = l.accept()[0]\nprint("met")\nc.recv(1)')
        self.assertEqual(self.line(p), 'up')
        host = self.outside('import socket\ns = socket.create_connection(("10.77.0.2", 7010))\nprint("met")\nimport time\ntime.sleep(3)')
        self.assertEqual(self.line(host), 'met')
        self.assertEqual(self.line(p), 'met')
        table = self.sbx('net', 'net0').stdout
        self.assertRegex(table, r'(?m)^tcp +LISTEN .*\*:7010 ')
        self.assertRegex(table, r'(?m)^tcp +ESTAB .*10\.77\.0\.2:7010 +10\.77\.0\.1:')
        self.assertRegex(table, r'(?m)^udp +UNCONN .*10\.77\.0\.2:7011 ')
        figures = self.sbx('debug', 'net0').stdout
        self.assertRegex(figures, r'sbx_net_received_frames_total\{interface="eth0"\} [1-9]')
        self.assertRegex(figures, r'sbx_net_tcp_passive_opens_total 1')
        host.kill()
        self.out(p)

    def test_pcap(self):
        """--pcap records both directions in a file that can be read."""
        path = os.path.join(self.work, 'x.pcapng')
        p = self.box('import socket\nprint("up")\ns = socket.create_server(("0.0.0.0", 7006))\nc, a = s.accept()\n'
                     'c.sendall(b"visible")\nc.recv(1)', flags=('--pcap', path))
        self.assertEqual(self.line(p), 'up')
        self.out(self.outside('import socket, time\nfor i in range(50):\n    try:\n        s = socket.create_connection(("10.77.0.2", 7006))\n'
                              '        break\n    except OSError:\n        time.sleep(0.05)\nprint(s.recv(100))'))
        self.out(p)
        with open(path, 'rb') as f:
            data = f.read()
        kinds, ways, at = [], set(), 0
        while at < len(data):
            kind, size = struct.unpack('<II', data[at:at + 8])
            self.assertEqual(struct.unpack('<I', data[at + size - 4:at + size])[0], size)
            kinds.append(kind)
            if kind == 6:
                ways.add(struct.unpack('<I', data[at + size - 12:at + size - 8])[0])
            at += size
        self.assertEqual(kinds[:2], [0x0a0d0d0a, 1])
        self.assertGreater(kinds.count(6), 6)
        self.assertEqual(ways, {1, 2})
        self.assertIn(b'visible', data)


class Two(NetTest):
    SANDBOXES = 2

    def test_two_sandboxes(self):
        """They find each other over a bridge, and each has its own ports."""
        server = self.box(READ_ALL + r'''
l = socket.create_server(('::', 7007), family=socket.AF_INET6, dualstack_ipv6=True)
print('up')
for i in range(2):
    c, a = l.accept()
    print(*digest(c))
    c.sendall(b'thanks')
    c.close()
''', which=0)
        self.assertEqual(self.line(server), 'up')
        client = self.box(READ_ALL + r'''
socket.create_server(('0.0.0.0', 7007))
for peer in ('10.77.0.2', 'fd77::2'):
    s = socket.create_connection((peer, 7007))
    print(pour(s, 3000000))
    print(s.recv(100))
''', which=1)
        said, heard = self.out(client).splitlines(), self.out(server).splitlines()
        self.assertEqual(said[1::2], ["b'thanks'"] * 2)
        self.assertEqual(heard, [f'3000000 {d}' for d in said[0::2]])


class Death(NetTest):
    def test_netd_dies_under_load(self):
        """Connections are reset, the container lives, listens and connects again, three times over."""
        p = self.box(r'''
            import errno, select, socket, threading, time
            def serve():
                while True:
                    try:
                        l = socket.create_server(('0.0.0.0', 7008))
                        while True:
                            c, a = l.accept()
                            threading.Thread(target=pour, args=(c,), daemon=True).start()
                    except OSError as e:
                        print(f'listener {errno.errorcode[e.errno]}\n', end='')
                        time.sleep(0.1)
            def pour(c):
                try:
                    while True:
                        c.sendall(b'x' * 65536)
                except OSError as e:
                    print(f'sender {errno.errorcode[e.errno]}\n', end='')
            serve()
        ''')
        host = self.outside(r'''
            import socket, time
            lives = 0
            while lives < 4:
                try:
                    s = socket.create_connection(('10.77.0.2', 7008), timeout=1)
                except OSError:
                    time.sleep(0.05)
                    continue
                lives += 1
                print('connected')
                s.settimeout(2)
                try:
                    while s.recv(1 << 20):
                        pass
                except OSError:
                    pass
        ''')
        for i in range(3):
            self.assertEqual(self.line(host), 'connected')
            time.sleep(0.5)
            os.kill(self.service(p.pid, 'netd'), signal.SIGKILL)
        self.assertEqual(self.line(host), 'connected')
        host.kill()
        p.kill()
        out, err = p.communicate(timeout=20)
        self.assertEqual(out.count('sender ECONNRESET'), 3, out + err)
        self.assertEqual(err.count('it is started again'), 3, err)


class Nat(NetTest):
    SANDBOXES = 0

    def rules(self):
        return [l for l in run('iptables-save').splitlines() if 'sbx' in l]

    def links(self):
        return [l for l in os.listdir('/sys/class/net') if l.startswith('sbx')]

    def test_name_servers(self):
        """A bundle without a resolv.conf to mount has the host's."""
        self.config('cat', '/etc/resolv.conf')
        with open('/etc/resolv.conf') as f:
            host = f.read()
        p = self.sbx('run', 'conf', flags=('--network=nat', '--overlay=memory'))
        self.assert_ok(p)
        self.assertEqual(p.stdout, host)

    def test_nat(self):
        """A sandbox without anybody's network reaches a server of the host, and leaves nothing behind, however it ends."""
        with open('/proc/sys/net/ipv4/ip_forward') as f:
            forward = f.read()
        before = self.rules(), self.links()
        code = ('import socket, time; g = [l.split()[2] for l in open("/proc/net/route") if l.split()[1] == "00000000"][0]; '
                'gw = socket.inet_ntoa(bytes.fromhex(g)[::-1]); print(gw, flush=True); time.sleep(%s)\n')
        for how in (None, signal.SIGKILL):
            p = self.start('do', 'python3', '-c', code % (60 if how else 0.5), flags=('--network=nat',))
            gateway = self.line(p)
            self.assertIn(gateway, run('ip', '-4', 'addr'))
            self.assertEqual(len(self.rules()), len(before[0]) + 3)
            if how:
                p.send_signal(how)
            p.communicate(timeout=20)
            deadline = time.time() + 10
            while ((self.rules(), self.links()) != before or os.path.exists('/run/sbx-nat')) and \
                    time.time() < deadline:
                time.sleep(0.1)
            self.assertEqual((self.rules(), self.links()), before)
            with open('/proc/sys/net/ipv4/ip_forward') as f:
                self.assertEqual(f.read(), forward)


if __name__ == '__main__':
    main()
