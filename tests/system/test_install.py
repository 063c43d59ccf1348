#!/usr/bin/env python3
"""install and uninstall: files of engines, edited and put back byte for byte."""
import json, os, shutil, subprocess
from sbxtest import LAUNCH, SandboxTest, main

DAEMON = [
    None, '', '{}', '{}\n', '{\n\t"debug": true\n}\n', '{"debug":true,"runtimes":{}}', '{ "runtimes" : {"other": {"path": "/x"}} }\n',
    '{\n  "log-opts": {"max-size": "10m"},\n\n  "insecure-registries": ["a", "b"],\n  "runtimes": {\n      "kata": {"path": "/usr/bin/kata"}\n  },\n  "mtu": 1400\n}',
    '{"a":"\\u00e9\\/x", "n": 1.50, "big": 9007199254740993}\r\n',
]
TOML = [None, '', 'version = 2', 'version = 2\n', '# mine\nversion = 2\n\n[plugins]\n  [plugins."io.containerd.grpc.v1.cri"]\n    x = 1\n', 'version = 3\nroot = "/x"\t\n', '[plugins.cri]\n']


class Install(SandboxTest):
    def setUp(self):
        super().setUp()
        self.file = os.path.join(self.work, 'etc', 'file')

    def put(self, text):
        shutil.rmtree(os.path.dirname(self.file), ignore_errors=True)
        if text is not None:
            os.makedirs(os.path.dirname(self.file))
            with open(self.file, 'w', newline='') as f:
                f.write(text)
            os.chmod(self.file, 0o640)

    def get(self):
        if not os.path.exists(self.file):
            return None
        with open(self.file, newline='') as f:
            return f.read()

    def do(self, verb, *args, status=0):
        p = self.sbx(verb, '--config', self.file, *args)
        self.assert_ok(p, status)
        return p

    def nothing_beside(self):
        names = os.listdir(os.path.dirname(self.file)) if os.path.isdir(os.path.dirname(self.file)) else []
        self.assertEqual([x for x in names if x != 'file'], [])

    def test_docker(self):
        for text in DAEMON:
            with self.subTest(text=text):
                self.put(text)
                self.do('install', '--', '--debug', '--root=/x')
                got = json.loads(self.get())
                self.assertEqual(got['runtimes'].pop('sbx'), {'path': LAUNCH, 'runtimeArgs': ['--debug', '--root=/x']})
                was = json.loads(text or '{}')
                was.setdefault('runtimes', {})
                self.assertEqual(got, was)
                if text is not None:
                    self.assertEqual(os.stat(self.file).st_mode & 0o777, 0o640)
                self.assertIn('there already', self.do('install', '--', '--debug', '--root=/x').stdout)
                self.do('install', '--runtime', 'two')
                self.do('install')  # other arguments
                self.assertNotIn('runtimeArgs', json.loads(self.get())['runtimes']['sbx'])
                self.do('uninstall', '--runtime', 'two')
                self.do('uninstall')
                self.assertEqual(json.loads(self.get() or '{}').get('runtimes', {}), json.loads(text or '{}').get('runtimes', {}))
                self.assertIn('not there', self.do('uninstall').stdout)

    def test_docker_bytes(self):
        for text in DAEMON:
            with self.subTest(text=text):
                self.put(text)
                self.do('install', '--', '--debug')
                self.do('uninstall')
                self.assertEqual(self.get(), text)
                self.nothing_beside()

    def test_docker_changed_meanwhile(self):
        self.put(DAEMON[7])
        self.do('install')
        c = json.loads(self.get())
        c['mtu'] = 9000
        with open(self.file, 'w') as f:
            json.dump(c, f)
        self.do('uninstall')
        del c['runtimes']['sbx']
        self.assertEqual(json.loads(self.get()), c)
        self.nothing_beside()

    def test_docker_refused(self):
        for text, want in (('{', 'line 1'), ('[]', 'not the settings'), ('{"runtimes": []}', 'not the settings'), ('{"a":1,"a":2}', 'duplicate'),
                           ('{"runtimes": {"sbx": {"path": "/usr/bin/other"}}}', 'another program')):
            with self.subTest(text=text):
                self.put(text)
                self.assertIn(want, self.do('install', status=1).stderr)
                self.assertEqual(self.get(), text)
        self.do('install', '--force')
        self.put('{"default-runtime": "sbx", "runtimes": {"sbx": {"path": "/x/sbx-launch"}}}')
        self.assertIn('default-runtime', self.do('uninstall', status=1).stderr)
        self.put('{}')
        self.assertIn('--runtime', self.do('install', '--runtime', 'a/b', status=1).stderr)
        self.assertIn('--engine', self.do('install', '--engine', 'rkt', status=1).stderr)
        os.unlink(self.file)
        os.mkdir(self.file)
        self.assertIn('not a file', self.do('install', status=1).stderr)

    def test_link(self):
        self.put('{}')
        os.rename(self.file, self.file + '.real')
        os.symlink('file.real', self.file)
        self.do('install')
        self.assertTrue(os.path.islink(self.file))
        self.do('uninstall')
        self.assertEqual(self.get(), '{}')

    def test_containerd(self):
        import tomllib
        for text in TOML:
            with self.subTest(text=text):
                self.put(text)
                self.do('install', '--engine', 'containerd')
                c = tomllib.loads(self.get())
                plugin = {2: 'io.containerd.grpc.v1.cri', 3: 'io.containerd.cri.v1.runtime'}.get(2 if text is None else c.get('version'), 'cri')
                r = c['plugins'][plugin]['containerd']['runtimes']['sbx']
                self.assertEqual((r['runtime_type'], r['options']['BinaryName']), ('io.containerd.runc.v2', LAUNCH))
                self.assertIn('there already', self.do('install', '--engine', 'containerd').stdout)
                self.do('uninstall', '--engine', 'containerd')
                self.assertEqual(self.get(), text)
                self.nothing_beside()
        self.put('version = 2\n[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.sbx]\n')
        self.assertIn('another hand', self.do('install', '--engine', 'containerd', status=1).stderr)
        self.assertIn('arguments', self.do('install', '--engine', 'containerd', '--', 'x', status=1).stderr)

    def test_podman(self):
        import tomllib
        self.put(None)
        self.do('install', '--engine', 'podman')
        self.assertEqual(tomllib.loads(self.get())['engine']['runtimes']['sbx'], [LAUNCH])
        self.do('uninstall', '--engine', 'podman')
        self.assertIsNone(self.get())
        self.nothing_beside()


if __name__ == '__main__':
    main()
