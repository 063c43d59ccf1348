#!/usr/bin/env python3
"""The .deb: made by deploy/package, unpacked, and tried from where it unpacks."""
import glob, os, shutil, subprocess, sys, tempfile, unittest

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), '../..'))


def run(*args, **kw):
    return subprocess.run(args, capture_output=True, text=True, errors='replace', timeout=800, **kw)


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.mkdtemp(prefix='sbx-package-')
        cls.root = os.path.join(cls.work, 'root')
        p = run(os.path.join(TOP, 'deploy/package'), cls.work)
        if p.returncode:
            raise AssertionError(p.stdout + p.stderr)
        cls.deb, = glob.glob(os.path.join(cls.work, '*.deb'))
        subprocess.run(['dpkg', '-x', cls.deb, cls.root], check=True)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.work)

    def path(self, name):
        path = os.path.join(self.root, name)
        self.assertTrue(os.path.exists(path), name)
        return path

    def test_runs_from_where_it_is_unpacked(self):
        p = run(self.path('usr/bin/sbx-launch'), 'do', 'uname', '-n', stdin=subprocess.DEVNULL)
        self.assertEqual((p.returncode, p.stderr), (0, ''))

    def test_services(self):
        for s in ('sysd', 'memd', 'fsd', 'netd'):
            self.assertTrue(os.access(self.path(f'usr/libexec/sbx/sbx-{s}'), os.X_OK))

    def test_manual_page(self):
        p = run('man', '--warnings', '-l', self.path('usr/share/man/man8/sbx-launch.8'))
        self.assertEqual(p.stderr, '')

    def test_apparmor_profiles_parse(self):
        if not shutil.which('apparmor_parser'):
            self.skipTest('no apparmor_parser')
        p = run('apparmor_parser', '-Q', '-K', '-S', self.path('etc/apparmor.d/sbx'))
        self.assertEqual(p.returncode, 0, p.stderr)
        with open(self.path('etc/apparmor.d/sbx')) as f:
            text = f.read()
        for s in ('sysd', 'memd', 'fsd', 'netd'):
            self.assertIn(f'profile sbx-{s} ', text)

    def test_selinux_module(self):
        with open(self.path('usr/share/sbx/selinux/sbx.pp'), 'rb') as f:
            self.assertEqual(f.read(4), b'\x8f\xff\x7c\xf9')  # the magic number of a module package

    def test_log_rotation(self):
        if not shutil.which('logrotate'):
            self.skipTest('no logrotate')
        p = run('logrotate', '-d', self.path('etc/logrotate.d/sbx'))
        self.assertEqual(p.returncode, 0, p.stderr)
        self.assertNotIn('error:', p.stderr)

    def test_conffiles(self):
        p = run('dpkg-deb', '-I', self.deb, 'conffiles')
        self.assertEqual(p.stdout.split(), ['/etc/apparmor.d/sbx', '/etc/logrotate.d/sbx'])


if __name__ == '__main__':
    if not os.environ.get('SBX_LONG'):
        print('skipped: a part of tests/run --long')
        sys.exit(77)
    unittest.main(verbosity=2)
