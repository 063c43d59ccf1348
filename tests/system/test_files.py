#!/usr/bin/env python3
"""Files that a container writes through to the host: what the host sees and when, and a disk that is full."""
import json, os, subprocess, time
from sbxtest import ROOTFS, SandboxTest, main

MANY = r'''
import os, sys
os.chdir('/w')
for i in range(400):
    with open('f%d' % i, 'w') as f:
        f.write(str(i))
    if i % 3 == 0:
        os.rename('f%d' % i, 'g%d' % i)
    elif i % 3 == 1:
        os.unlink('f%d' % i)
    else:
        os.link('f%d' % i, 'h%d' % i)
        os.chmod('f%d' % i, 0o600)
        os.utime('f%d' % i, (i, i))
os._exit(5)
'''

SAID = r'''
import os, sys
os.chdir('/w')
for i in range(100):
    open('f', 'w').close()
    for k in range(5):
        open('k%d' % k, 'w').close()
        os.rename('k%d' % k, 'l%d' % k)
    os.write(1, b'made\n')
    os.read(0, 1)
    os.unlink('f')
    for k in range(5):
        os.unlink('l%d' % k)
    os.write(1, b'gone\n')
    os.read(0, 1)
'''

FULL = r'''
import errno, os
os.chdir('/w')

def fails(fn, *args):
    try:
        fn(*args)
    except OSError as e:
        return errno.errorcode[e.errno]

def make(n):
    open('n%d' % n, 'x').close()

# no inode left: the create says so, and the file is not there
n = 0
while True:
    e = fails(make, n)
    if e:
        break
    n += 1
print(e, n > 10, os.path.exists('n%d' % n), len(os.listdir('.')) == n)
# one less, and there is room for one at once
os.unlink('n0')
print(fails(make, 0), fails(make, n))
for i in range(n):
    os.unlink('n%d' % i)

# no block left: the write says so, each time that it is full, and what was removed is free at once
for i in range(5):
    f = open('big', 'wb', buffering=0)
    e, size = None, 0
    while not e:
        e = fails(f.write, b'x' * 65536)
    size = os.fstat(f.fileno()).st_size
    f.close()
    print(e, size > 1 << 20, fails(lambda: os.truncate('big', 10)), fails(open('small', 'wb', buffering=0).write, b'y' * 4096))
    os.unlink('big')
    os.unlink('small')
'''

LOOKS = r'''
import os, sys
os.chdir('/w')
os.mkdir('full')
for i in range(20):
    open('full/%d' % i, 'w').close()
open('old', 'w').write('old')
os.symlink('old', 'link')
def look():
    out = []
    for name in 'new', 'old', 'link', 'd/x', 'full/0', 'full/new', 'gone':
        try:
            with open(name) as f:
                out.append('%s=%s/%d' % (name, f.read(), os.stat(name).st_size))
        except OSError as e:
            out.append('%s=%d' % (name, e.errno))
    return ' '.join(out + sorted(os.listdir('.')) + [str(len(os.listdir('full')))])
open('gone', 'w').write('here')
look()
print('ready', look(), flush=True)
for line in sys.stdin:
    print(look(), flush=True)
    # what is changed inside meanwhile stays true
    for i in range(50):
        with open('full/mine%d' % i, 'w') as f:
            f.write(str(i))
        os.rename('full/mine%d' % i, 'full/0')
        assert open('full/0').read() == str(i)
        os.unlink('full/0')
        assert not os.path.exists('full/0')
        open('full/0', 'x').close()
'''


def read(path):
    with open(path) as f:
        return f.read()


class Files(SandboxTest):
    small = None

    def tearDown(self):
        if self.small:
            subprocess.run(['umount', '-l', self.small], check=True)
        super().tearDown()

    def own_root(self, script, small=None):
        """A root of its own with an empty /w; small: options of a tmpfs that it is."""
        root = os.path.join(self.bundle, 'root')
        os.mkdir(root)
        if small:
            subprocess.run(['mount', '-t', 'tmpfs', '-o', small, 'tmpfs', root], check=True)
            self.small = root
        for d in 'proc', 'dev', 'tmp', 'sys', 'usr', 'etc', 'w':
            os.mkdir(os.path.join(root, d))
        for link in 'bin', 'sbin', 'lib', 'lib64':
            os.symlink('usr/' + link, os.path.join(root, link))
        c = self.config('python3', '-c', script, root={'path': 'root'})
        c['mounts'] += [{'destination': d, 'type': 'bind', 'source': ROOTFS + d, 'options': ['rbind', 'ro']}
                        for d in ('/usr', '/etc')]
        self.write_config(json.dumps(c))
        return os.path.join(root, 'w')

    def test_all_is_there_at_the_end(self):
        w = self.own_root(MANY)
        self.assertEqual(self.sbx('run', 'one').returncode, 5)
        want = {}
        for i in range(400):
            for name in [['g'], [], ['f', 'h']][i % 3]:
                want[name + str(i)] = str(i)
        self.assertEqual({n: read(os.path.join(w, n)) for n in os.listdir(w)}, want)
        st = os.stat(os.path.join(w, 'h398'))
        self.assertEqual((st.st_mode & 0o7777, st.st_mtime, st.st_nlink), (0o600, 398, 2))

    def test_all_is_there_when_it_says_so(self):
        w = self.own_root(SAID)
        p = self.start('run', 'one', stdin=subprocess.PIPE)
        for _ in range(100):
            for word, want in ('made\n', ['f', 'l0', 'l1', 'l2', 'l3', 'l4']), ('gone\n', []):
                self.assertEqual(p.stdout.readline(), word)
                self.assertEqual(sorted(os.listdir(w)), want)
                p.stdin.write('x')
                p.stdin.flush()
        out, err = p.communicate(timeout=30)
        self.assertEqual((p.returncode, out), (0, ''), err)

    def test_somebody_enters_the_root(self):
        """As docker cp does: by pivot_root(2), then it replaces files."""
        w = self.own_root(LOOKS)
        p = self.start('run', 'one', stdin=subprocess.PIPE)
        before = 'new=2 old=old/3 link=old/3 d/x=2 full/0=/0 full/new=2 gone=here/4 full gone link old 20\n'
        self.assertEqual(p.stdout.readline(), 'ready ' + before)
        for i in range(3):
            pivot = os.path.join(w, '..', f'.pivot_root{i}')
            os.mkdir(pivot)
            os.rmdir(pivot)
            text = 'x' * (i + 4)
            for name in 'new', 'old', 'd/x', 'full/new':
                path = os.path.join(w, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                if os.path.exists(path):
                    os.unlink(path)
                with open(path, 'w') as f:
                    f.write(text)
            if i == 0:
                os.unlink(os.path.join(w, 'gone'))
            p.stdin.write('\n')
            p.stdin.flush()
            each = f'{text}/{len(text)}'
            self.assertEqual(p.stdout.readline(), f'new={each} old={each} link={each} d/x={each} full/0=/0 full/new={each} gone=2 '
                             'd full link new old 21\n')
        out, err = p.communicate(timeout=30)
        self.assertEqual((p.returncode, out), (0, ''), err)

    def test_host_replaces_a_link(self):
        """In a bind mount: what follows the link and what reads it see the new target, also when it has the old one's number."""
        w = self.own_root(r'''
import os
os.chdir('/w')
while input():
    print(os.readlink('l'), open('l').read(), os.readlink('d/l'), open('d/l/x').read(), flush=True)
''')
        outside = os.path.join(self.bundle, 'outside')
        os.makedirs(os.path.join(outside, 'd'))
        for name in 'ab':
            os.mkdir(os.path.join(outside, 'd', name))
            for path in name, f'd/{name}/x':
                with open(os.path.join(outside, path), 'w') as f:
                    f.write(name)
        with open(os.path.join(self.bundle, 'config.json')) as f:
            c = json.load(f)
        c['mounts'].append({'destination': '/w', 'type': 'bind', 'source': outside, 'options': ['rbind']})
        self.write_config(json.dumps(c))
        p = self.start('run', 'one', stdin=subprocess.PIPE)
        for i in range(16):
            target = 'ab'[i % 2]
            if i > 11:  # what has stood for a while is kept by the sandbox, once it is asked for again
                time.sleep(0.3)
                p.stdin.write('go\n')
                p.stdin.flush()
                old = 'ab'[1 - i % 2]
                self.assertEqual(p.stdout.readline(), f'{old} {old} {old} {old}\n')
            for link in 'l', 'd/l':
                path = os.path.join(outside, link)
                if os.path.lexists(path):
                    os.unlink(path)
                os.symlink(target, path)
            p.stdin.write('go\n')
            p.stdin.flush()
            self.assertEqual(p.stdout.readline(), f'{target} {target} {target} {target}\n')
        p.stdin.write('\n')
        out, err = p.communicate(timeout=30)
        self.assertEqual((p.returncode, out), (0, ''), err)

    def test_full_disk(self):
        self.own_root(FULL, 'size=4m,nr_inodes=200')
        p = self.sbx('run', 'one')
        self.assert_ok(p)
        self.assertEqual(p.stdout, 'ENOSPC True False True\nNone ENOSPC\n' + 'ENOSPC True None None\n' * 5, p.stderr)


if __name__ == '__main__':
    main()
