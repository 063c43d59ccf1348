#!/usr/bin/env python3
"""A service that dies is started again, and the container does not notice."""
import json, os, signal, time
from sbxtest import ROOTFS, SandboxTest, comm, descendants, main

# Does everything a file can do in its own folder, round after round, and looks at the results: a change that
# got lost or was done twice, an error, or another file under a name is an error here.
LOAD = r'''
import errno, fcntl, os, sys, time
d = sys.argv[1]
os.mkdir(d)
os.chdir(d)
held = open('held', 'w+')
held.write('still here')
held.flush()
os.unlink('held')
lock = open('lock', 'w')
fcntl.flock(lock, fcntl.LOCK_EX)
end = time.time() + float(sys.argv[2])
rounds = 0
while time.time() < end:
    n = 'f%d' % rounds
    with open(n, 'x') as f:
        f.write(n)
    os.chmod(n, 0o640)
    os.rename(n, 'g')
    assert open('g').read() == n and os.stat('g').st_mode & 0o7777 == 0o640
    os.link('g', 'h')
    assert os.stat('h').st_nlink == 2
    os.symlink('h', 's')
    assert os.readlink('s') == 'h' and open('s').read() == n
    os.mkdir('sub', 0o750)
    os.rename('g', 'sub/g')
    assert sorted(os.listdir('.')) == ['h', 'lock', 's', 'sub'], os.listdir('.')
    try:
        os.mkdir('sub')
        raise SystemExit('made twice')
    except FileExistsError:
        pass
    try:
        os.rmdir('sub')
        raise SystemExit('removed what is not empty')
    except OSError as e:
        assert e.errno == errno.ENOTEMPTY, e
    os.setxattr('h', 'user.x', n.encode())
    assert os.getxattr('sub/g', 'user.x') == n.encode()
    os.utime('h', (1000, 2000))
    assert os.stat('h').st_mtime == 2000
    fd = os.open('.', os.O_TMPFILE | os.O_RDWR)
    os.write(fd, b'nameless')
    os.close(fd)
    with open('h', 'r+') as f:
        f.truncate(1)
        os.fsync(f.fileno())
    assert os.stat('sub/g').st_size == 1
    os.replace('h', 'sub/g')
    os.replace('sub/g', 'sub/i')
    os.unlink('sub/i')
    os.rmdir('sub')
    os.unlink('s')
    assert os.listdir('.') in (['lock'], ['h', 'lock'], ['lock', 'h']), os.listdir('.')
    if os.path.exists('h'):  # two names of one file: rename(2) did nothing
        os.unlink('h')
    held.seek(0)
    assert held.read() == 'still here'
    rounds += 1
open('../done-' + d, 'w').write(str(rounds))
'''


# What may be done again without a difference goes on with no error on a mount that others change too.
LOAD_SHARED = r'''
import os, sys, time
d = sys.argv[1]
os.mkdir(d)
os.chdir(d)
for i in range(20):
    open('f%d' % i, 'w').write('x' * i)
end = time.time() + float(sys.argv[2])
rounds = 0
while time.time() < end:
    assert len(os.listdir('.')) == 20
    for i in range(20):
        n = 'f%d' % i
        assert os.stat(n).st_size == i and open(n).read() == 'x' * i
        assert not os.path.exists(n + 'x')
        os.chmod(n, 0o600 + rounds % 8)
        os.utime(n, (rounds, rounds))
        assert os.stat(n).st_mtime == rounds
    os.statvfs('.')
    with open('f7', 'r+') as f:
        f.write('y')
        os.fsync(f.fileno())
        f.seek(0)
        f.write('x')
    rounds += 1
open('../done-' + d, 'w').write(str(rounds))
'''


class Restart(SandboxTest):
    def setUp(self):
        super().setUp()
        self.data = os.path.join(self.work, 'data')
        os.mkdir(self.data)
        for name, text in ('load.py', LOAD), ('shared.py', LOAD_SHARED):
            with open(os.path.join(self.data, name), 'w') as f:
                f.write(text)

    def on_root(self, *args):
        """A root of its own, which only the container changes: the data, and the system read-only in it."""
        root = os.path.join(self.bundle, 'root')
        for d in 'proc', 'dev', 'tmp', 'sys', 'usr', 'etc':
            os.makedirs(os.path.join(root, d))
        for link in 'bin', 'sbin', 'lib', 'lib64':
            os.symlink('usr/' + link, os.path.join(root, link))
        os.rename(self.data, os.path.join(root, 'mnt'))
        self.data = os.path.join(root, 'mnt')
        c = self.config(*args, process__cwd='/mnt', root={'path': 'root'})
        c['mounts'] += [{'destination': d, 'type': 'bind', 'source': ROOTFS + d, 'options': ['rbind', 'ro']}
                        for d in ('/usr', '/etc')]
        self.write_config(json.dumps(c))

    def on_data(self, *args, **changes):
        c = self.config(*args, process__cwd='/mnt', **changes)
        c['mounts'].append({'destination': '/mnt', 'type': 'bind', 'source': self.data, 'options': ['rbind']})
        self.write_config(json.dumps(c))

    def kill_service(self, launcher, name, not_this=0):
        deadline = time.time() + 10
        while True:
            pids = [p for p in descendants(launcher) if comm(p) == f'sbx-{name}' and p != not_this]
            if pids:
                os.kill(pids[0], signal.SIGKILL)
                return pids[0]
            self.assertLess(time.time(), deadline, f'no sbx-{name}')
            time.sleep(0.01)

    def test_files_under_load(self):
        self.on_root('sh', '-c', 'for i in a b c; do python3 load.py $i 6 & done; wait; ls done-*')
        self.under_load(['lock'])

    def test_shared_files_under_load(self):
        self.on_data('sh', '-c', 'for i in a b c; do python3 shared.py $i 4 & done; wait; ls done-*')
        self.under_load(['f%d' % i for i in range(20)])

    def under_load(self, left):
        p = self.start('run', 'one')
        while not os.path.exists(os.path.join(self.data, 'c')):
            self.assertIsNone(p.poll(), 'ended early')
            time.sleep(0.01)
        last = 0
        for pause in 0.5, 0.01, 1.3, 0.4:
            time.sleep(pause)
            last = self.kill_service(p.pid, 'fsd', last)
        out, err = p.communicate(timeout=60)
        self.assertEqual((p.returncode, out), (0, 'done-a\ndone-b\ndone-c\n'), err)
        self.assertIn('sbx-fsd was killed by signal 9 (Killed); it is started again', err)
        for d in 'abc':
            self.assertEqual(sorted(os.listdir(os.path.join(self.data, d))), sorted(left))
            with open(os.path.join(self.data, 'done-' + d)) as f:
                self.assertGreater(int(f.read()), 20)

    def test_mounts_are_what_they_were(self):
        self.on_data('sh', '-c', 'echo one > f; read go; cat f load.py | head -n 1; ls /usr | head -n 1')
        r, w = os.pipe()
        p = self.start('run', 'one', stdin=r)
        while not os.path.exists(os.path.join(self.data, 'f')):
            time.sleep(0.01)
        # the names lead elsewhere now; the mounts do not
        os.rename(self.data, self.data + '-moved')
        os.mkdir(self.data)
        last = self.kill_service(p.pid, 'fsd')
        while comm(last):
            time.sleep(0.01)
        os.write(w, b'\n')
        os.close(w)
        out, err = p.communicate(timeout=60)
        os.close(r)
        self.assertEqual((p.returncode, out), (0, 'one\nbin\n'), err)

    def test_before_the_start(self):
        self.on_data('cat', '/etc/hostname', 'load.py')
        with open(os.path.join(self.work, 'out'), 'w+') as out:
            p = self.start('create', '--pid-file', 'pid', 'one', stdout=out, stderr=out)
            self.assertEqual(p.wait(30), 0)
            self.kill_service(self.read_pid(), 'fsd')
            self.assert_ok(self.sbx('start', 'one'))
            self.wait_status('one', 'stopped')
            out.seek(0)
            self.assertIn('held.write', out.read())
        self.assert_ok(self.sbx('delete', 'one'))

    def test_too_often(self):
        self.on_data('sleep', '100')
        p = self.start('run', 'one')
        self.wait_status('one', 'running')
        last = 0
        for _ in range(6):
            last = self.kill_service(p.pid, 'fsd', last)
        out, err = p.communicate(timeout=60)
        self.assertEqual(p.returncode, 1, err)
        self.assertIn('sbx-fsd has died 6 times within 60 seconds: sbx-fsd was killed by signal 9 (Killed)', err)

    def test_in_the_same_cgroup(self):
        self.on_data('sh', '-c', 'read go; cat load.py > /dev/null', linux__cgroupsPath='/sbx-system/inner',
                     linux__resources={'memory': {'limit': 256 << 20}})
        r, w = os.pipe()
        p = self.start('run', 'one', stdin=r)
        self.wait_status('one', 'running')
        first = self.kill_service(p.pid, 'fsd')
        pids = []
        while not pids:
            self.assertIsNone(p.poll(), 'ended early')
            pids = [q for q in descendants(p.pid) if comm(q) == 'sbx-fsd' and q != first]
        deadline = time.time() + 10
        while True:
            with open(f'/proc/{pids[0]}/cgroup') as f, open(f'/proc/{self.service(p.pid, "sysd")}/cgroup') as g:
                its, sysds = f.read(), g.read()
            if its == sysds or time.time() > deadline:
                break
        os.write(w, b'\n')
        os.close(w)
        out, err = p.communicate(timeout=60)
        os.close(r)
        self.assertEqual(p.returncode, 0, err)
        self.assertIn('/sbx-system/inner', its)
        self.assertEqual(its, sysds)


if __name__ == '__main__':
    main()
