#!/usr/bin/env python3
"""Who enters the mount namespace of the pid in the state (podman cp, nsenter -m): the container's files, nothing of the host."""
import os, subprocess
from sbxtest import ROOTFS, SandboxTest, main


class View(SandboxTest):
    def setUp(self):
        super().setUp()
        self.shared, self.fixed = os.path.join(self.work, 'shared'), os.path.join(self.work, 'fixed')
        for d in (self.shared, self.fixed):
            os.mkdir(d)
        with open(self.fixed + '/there', 'w') as f:
            f.write('from the host\n')
        # a root of the test's own, in which a link leads out
        self.rootfs = os.path.join(self.work, 'root')
        os.makedirs(self.rootfs + '/data')
        for d in ('bin', 'lib', 'lib64', 'usr'):
            os.symlink('usr/' + d, f'{self.rootfs}/{d}') if d != 'usr' else os.mkdir(self.rootfs + '/usr')
        for d in ('proc', 'dev', 'tmp', 'sys', 'etc'):
            os.mkdir(f'{self.rootfs}/{d}')
        os.symlink('/../../../../etc', self.rootfs + '/way')

    def up(self, readonly=False, flags=()):
        config = self.config('sleep', '1000', root__path=self.rootfs, root__readonly=readonly)
        config['mounts'] += [
            {'destination': '/usr', 'type': 'bind', 'source': ROOTFS + '/usr', 'options': ['rbind', 'ro']},
            {'destination': '/data', 'type': 'bind', 'source': self.shared, 'options': ['rbind']},
            {'destination': '/way/fixed', 'type': 'bind', 'source': self.fixed, 'options': ['bind', 'ro']}]
        os.makedirs(self.rootfs + '/etc/fixed')
        self.config(root__path=self.rootfs, root__readonly=readonly, mounts=config['mounts'], process=config['process'])
        self.assert_ok(self.sbx('create', '--pid-file', 'pid', 'one', flags=flags))
        self.assert_ok(self.sbx('start', 'one'))
        return self.read_pid()

    def enter(self, pid, script):
        p = subprocess.run(['nsenter', '-m', '-t', str(pid), '/usr/bin/sh', '-c', script], capture_output=True, text=True)
        return p.stdout + p.stderr

    def test_files(self):
        pid = self.up()
        self.assertEqual(self.enter(pid, 'echo new >/made; echo new >/data/made; cat /etc/fixed/there; ls / | tr "\\n" " "; ls /proc /dev /tmp | tr -d "\\n"'),
                         'from the host\nbin data dev etc lib lib64 made proc sys tmp usr way /dev:/proc:/tmp:')
        # the container has them, the host's root and /etc do not
        self.assertEqual(self.sbx('exec', 'one', 'cat', '/made', '/data/made').stdout, 'new\nnew\n')
        self.assertEqual(os.listdir(self.shared), ['made'])
        self.assertTrue(os.path.exists(self.rootfs + '/made'))
        self.assertFalse(os.path.exists('/made') or os.path.exists('/etc/fixed'))
        said = self.enter(pid, 'for i in tmp dev proc usr etc/fixed; do echo x >/$i/x; done')
        self.assertEqual(said.count('Read-only file system'), 5, said)
        # and the other way
        self.assert_ok(self.sbx('exec', 'one', 'sh', '-c', 'echo back >/back'))
        self.assertEqual(self.enter(pid, 'cat /back'), 'back\n')
        self.assert_ok(self.sbx('delete', '--force', 'one'))

    def test_readonly(self):
        pid = self.up(readonly=True)
        self.assertIn('Read-only', self.enter(pid, 'echo x >/made'))
        self.assert_ok(self.sbx('delete', '--force', 'one'))

    def test_overlay(self):
        """What is written there would be in the image, not in the container."""
        pid = self.up(flags=('--overlay=memory',))
        self.assertIn('Read-only', self.enter(pid, 'echo x >/made'))
        self.assert_ok(self.sbx('delete', '--force', 'one'))

    def test_services_come_again(self):
        pid = self.up()
        os.kill(self.service(pid, 'fsd'), 9)
        self.assertEqual(self.sbx('exec', 'one', 'cat', '/etc/fixed/there').stdout, 'from the host\n')
        self.assertEqual(os.readlink(f'/proc/{pid}/root'), '/')
        self.assert_ok(self.sbx('delete', '--force', 'one'))


if __name__ == '__main__':
    main()
