#!/usr/bin/env python3
"""inotify in a sandbox on a bind mount: what the host does there is seen, as the host's own inotify sees it, and what the
container does itself is seen once."""
import ctypes, errno, inspect, json, os, select, signal, struct, subprocess, time, unittest
from sbxtest import SandboxTest, comm, descendants, main

# reads a line of python, runs it, and answers with what it left in `r`
GUEST = r'''
import ctypes, json, os, select, struct, sys, time
''' + (LIB := r'''
libc = ctypes.CDLL(None, use_errno=True)

class Watcher:
    ALL = 0x2 | 0x4 | 0x8 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x800

    def __init__(self):
        self.fd = libc.inotify_init1(os.O_NONBLOCK)

    def add(self, path, mask=ALL):
        wd = libc.inotify_add_watch(self.fd, path.encode(), mask)
        return wd if wd > 0 else -ctypes.get_errno()

    def read(self):
        """[(watch, mask, name)]; cookies become 1 where two events share one."""
        try:
            data = os.read(self.fd, 65536)
        except BlockingIOError:
            return []
        out = []
        while data:
            wd, mask, cookie, n = struct.unpack('iIII', data[:16])
            out.append([wd, mask, cookie, data[16:16 + n].rstrip(b'\0').decode()])
            data = data[16 + n:]
        cookies = [e[2] for e in out]
        return [[wd, hex(mask), cookies.count(c) == 2 if c else None, name] for wd, mask, c, name in out]

    def all(self, quiet=0.4, most=20):
        out, end = [], time.time() + most
        while time.time() < end and select.select([self.fd], [], [], quiet)[0]:
            out += self.read()
        return out
''') + r'''
w = Watcher()
print('ready', flush=True)
for line in sys.stdin:
    r = None
    exec(json.loads(line))
    print(json.dumps(r), flush=True)
'''
exec(LIB)


def write(path, text='x', mode='w'):
    with open(path, mode) as f:
        f.write(text)


def changes(d):
    """Something of each kind, in d."""
    write(d + '/f')
    write(d + '/f', 'more', 'a')
    os.chmod(d + '/f', 0o600)
    os.utime(d + '/f', (1, 1))
    os.truncate(d + '/f', 1)
    os.rename(d + '/f', d + '/g')
    os.link(d + '/g', d + '/h')
    os.symlink('g', d + '/s')
    os.mkdir(d + '/sub')
    os.chmod(d + '/sub', 0o700)
    os.rename(d + '/sub', d + '/sub2')
    os.mkfifo(d + '/fifo')
    os.unlink(d + '/h')
    os.rename(d + '/s', d + '/g')
    os.rmdir(d + '/sub2')
    os.unlink(d + '/g')
    os.unlink(d + '/fifo')


class Watch(SandboxTest):
    def setUp(self):
        super().setUp()
        self.host = os.path.join(self.work, 'shared')
        os.mkdir(self.host)
        self.config('python3', '-c', GUEST)

    def up(self, *flags):
        c = self.config('python3', '-c', GUEST)
        c['mounts'].append({'destination': '/mnt', 'type': 'bind', 'source': self.host, 'options': ['rbind', 'rw']})
        self.write_config(json.dumps(c))
        self.p = self.start('run', 'one', stdin=subprocess.PIPE, flags=flags)
        self.assertEqual(self.p.stdout.readline(), 'ready\n')

    def guest(self, code):
        self.p.stdin.write(json.dumps(code) + '\n')
        self.p.stdin.flush()
        line = self.p.stdout.readline()
        if not line:
            self.fail(self.p.stderr.read())
        return json.loads(line)

    def down(self):
        out, err = self.p.communicate(timeout=30)
        self.assertEqual((self.p.returncode, out), (0, ''), err)

    def fsd_instances(self):
        d = f'/proc/{self.service(self.p.pid, "fsd")}/fd'
        return sum(os.readlink(f'{d}/{x}') == 'anon_inode:inotify' for x in os.listdir(d))

    def test_the_host_in_a_directory(self):
        self.up()
        here = Watcher()
        self.assertEqual((here.add(self.host), self.guest('r = w.add("/mnt")')), (1, 1))
        changes(self.host)
        want = here.all()
        self.assertGreater(len(want), 20)
        self.assertEqual(self.guest('r = w.all()'), want)
        # what is read right after an event is what the host left
        write(self.host + '/f', 'one')
        self.guest('r = w.all()')
        self.assertEqual(self.guest('r = open("/mnt/f").read()'), 'one')
        for i in range(20):
            text = 'x' * (i + 5)
            write(self.host + '/f', text)
            got = self.guest('select.select([w.fd], [], [], 5); time.sleep(0.05); r = [os.stat("/mnt/f").st_size, open("/mnt/f").read()]; w.all(0)')
            self.assertEqual(got, [len(text), text])
        os.close(here.fd)
        self.down()

    def test_the_host_at_a_file(self):
        write(self.host + '/f')
        os.mkdir(self.host + '/d')
        os.symlink('nowhere', self.host + '/s')
        self.up()
        here = Watcher()
        paths = ['f', 'd', 's']
        dont_follow = 0x02000000
        self.assertEqual([here.add(f'{self.host}/{x}', Watcher.ALL | dont_follow) for x in paths], [1, 2, 3])
        self.assertEqual(self.guest(f'r = [w.add("/mnt/" + x, Watcher.ALL | {dont_follow}) for x in {paths}]'), [1, 2, 3])
        self.guest('r = [open("/mnt/f").read(), os.listdir("/mnt/d")]')
        write(self.host + '/f', 'more', 'a')
        os.chmod(self.host + '/f', 0o600)
        write(self.host + '/d/inside')
        os.rename(self.host + '/f', self.host + '/f2')
        os.rename(self.host + '/d', self.host + '/d2')
        os.rename(self.host + '/s', self.host + '/s2')
        write(self.host + '/f2', 'again', 'a')
        os.unlink(self.host + '/d2/inside')
        os.unlink(self.host + '/f2')
        os.unlink(self.host + '/s2')
        os.rmdir(self.host + '/d2')
        key = lambda e: e[0]
        want = sorted(here.all(), key=key)
        self.assertEqual([e[1] for e in want[-2:]], ['0x400', '0x8000'])
        self.assertEqual(sorted(self.guest('r = w.all()'), key=key), want)
        os.close(here.fd)
        self.down()

    def test_own_changes_are_told_once(self):
        self.up()
        helpers = inspect.getsource(write) + inspect.getsource(changes)
        both = []
        for d in '/tmp/d', '/mnt/d':
            self.guest(f'os.mkdir("{d}")\nexec({helpers!r}, globals())\nw = Watcher()\nr = w.add("{d}")')
            self.guest(f'changes("{d}")')
            both.append(self.guest('r = w.all(); os.close(w.fd)'))
        self.assertGreater(len(both[0]), 20)
        self.assertEqual(both[1], both[0])
        # and a file with its directory; written a while after it was opened, removed while it is open
        both = []
        for d in '/tmp/e', '/mnt/e':
            self.guest(f'os.mkdir("{d}"); open("{d}/f", "w").close(); w = Watcher(); w.add("{d}"); w.add("{d}/f")')
            self.guest(f'f = open("{d}/f", "wb", buffering=0); f.write(b"1")')
            time.sleep(0.3)
            self.guest('f.write(b"2"); os.fchmod(f.fileno(), 0o640)')
            self.guest(f'os.unlink("{d}/f")\ntry: os.mkdir("{d}")\nexcept FileExistsError: pass')
            time.sleep(0.3)
            self.guest('f.close()')
            both.append(self.guest('r = w.all(); os.close(w.fd)'))
        self.assertEqual(both[1], both[0])
        self.down()

    def test_both_at_once(self):
        self.up()
        self.guest('r = w.add("/mnt", 0x100 | 0x200)')
        code = 'for i in range(500): open("/mnt/in%d" % i, "w").close(); i % 2 or os.unlink("/mnt/in%d" % i)\nr = w.all(1)'
        self.p.stdin.write(json.dumps(code) + '\n')
        self.p.stdin.flush()
        for i in range(500):
            write(f'{self.host}/out{i}')
            if i % 2 == 0:
                os.unlink(f'{self.host}/out{i}')
        got = json.loads(self.p.stdout.readline())
        for who in 'in', 'out':
            for mask, want in ('0x100', range(500)), ('0x200', range(0, 500, 2)):
                self.assertEqual(sorted(e[3] for e in got if e[1] == mask and e[3].startswith(who)),
                                 sorted(f'{who}{i}' for i in want))
        self.down()

    def test_flood(self):
        """A neighbour that never stops: the container's queue ends with an overflow, its reader goes on."""
        self.up()
        with open('/proc/sys/fs/inotify/max_queued_events') as f:
            most = int(f.read())
        self.guest('r = w.add("/mnt", 0x2)')
        fds = [os.open(f'{self.host}/{x}', os.O_WRONLY | os.O_CREAT) for x in 'ab']
        for i in range(most + 5000):
            os.pwrite(fds[i % 2], b'x', 0)
        time.sleep(0.5)
        got = self.guest('r = w.all()')
        self.assertLessEqual(len(got), most + 1)
        self.assertEqual(got[-1][:2], [-1, '0x4000'])
        os.pwrite(fds[0], b'x', 0)
        self.assertEqual(self.guest('r = w.all()'), [[1, '0x2', None, 'a']])
        for fd in fds:
            os.close(fd)
        self.down()

    def watch_files(self, count):
        """Watches that many files and two more, twice; what the last three calls said."""
        for i in range(count + 2):
            write(f'{self.host}/{i}')
        self.up()
        self.assertEqual(self.fsd_instances(), 0)
        for _ in range(2):
            got = self.guest(f'w = Watcher(); r = [w.add("/mnt/%d" % i) for i in range({count + 2})][-3:]')
            self.assertEqual(self.fsd_instances(), 1)
            self.guest('os.close(w.fd)')
            deadline = time.time() + 10
            while self.fsd_instances() and time.time() < deadline:
                self.guest('time.sleep(0.01); os.stat("/mnt/0")')
            self.assertEqual(self.fsd_instances(), 0)
        self.down()
        return got

    def test_watches_are_given_back(self):
        self.assertEqual(self.watch_files(300), [300, 301, 302])

    @unittest.skipUnless(os.environ.get('SBX_LONG') == '1', 'SBX_LONG is not 1')
    def test_limit(self):
        """A container has a part of what the host can watch."""
        with open('/proc/sys/fs/inotify/max_user_watches') as f:
            most = min(max(int(f.read()) // 4, 1024), 16384)
        self.assertEqual(self.watch_files(most), [most, -errno.ENOSPC, -errno.ENOSPC])

    def test_fsd_is_started_anew(self):
        self.up()
        self.guest('r = [w.add("/mnt"), os.mkdir("/mnt/d"), w.add("/mnt/d")]')
        self.guest('r = w.all()')
        pid = self.service(self.p.pid, 'fsd')
        os.kill(pid, signal.SIGKILL)
        deadline = time.time() + 10
        while time.time() < deadline and [q for q in descendants(self.p.pid) if comm(q) == 'sbx-fsd'] in ([pid], []):
            time.sleep(0.05)
        self.guest('os.stat("/mnt/d")')
        self.assertEqual(self.guest('r = w.all()'), [[-1, '0x4000', None, '']])
        write(self.host + '/d/new')
        self.assertEqual(self.guest('r = w.all()'), [[2, '0x100', None, 'new'], [2, '0x2', None, 'new'], [2, '0x8', None, 'new']])
        self.down()


if __name__ == '__main__':
    main()
