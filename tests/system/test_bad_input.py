#!/usr/bin/env python3
"""Bad input: a clear sentence, a status that is not zero, and nothing left."""
import copy, json, os, subprocess
from sbxtest import BUILD, ROOTFS, SandboxTest, main

DENY = os.path.join(BUILD, 'tests/system/deny')


class BadInput(SandboxTest):
    def refused(self, want, *args, status=1, flags=(), prefix=()):
        args = args or ('run', 'one')
        p = subprocess.run([*prefix, *self.cmd(*args, flags=flags)], cwd=self.bundle, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual(p.returncode, status, p.stdout + p.stderr)
        self.assertIn(want, p.stderr)
        self.assert_nothing_left()
        return p

    def test_no_bundle(self):
        self.refused('/nowhere', 'run', '--bundle', '/nowhere', 'one')

    def test_no_config(self):
        self.refused('config.json: No such file or directory')

    def test_malformed_config(self):
        for text in '', '{', '[]', '{"ociVersion": "1.0.2"', '{"ociVersion":1}', 'null', '\0' * 100, '{"a":1,"a":2}':
            self.write_config(text)
            with self.subTest(text=text):
                self.refused('config.json')

    def test_fields(self):
        good = self.config('true')
        cases = [
            ('ociVersion', None, 'ociVersion: missing'), ('ociVersion', '2.0', 'ociVersion'), ('ociVersion', 1, 'ociVersion: must be a string'),
            ('process', None, 'process: missing'), ('process', [], 'process: must be an object'),
            ('process.args', [], 'process.args: must not be empty'), ('process.args', 'true', 'process.args: must be an array'),
            ('process.args', [1], 'process.args[0]: must be a string'), ('process.cwd', None, 'process.cwd'),
            ('process.cwd', 'tmp', 'process.cwd: must be an absolute path'), ('process.env', {}, 'process.env'),
            ('process.user', {'uid': -1}, 'process.user.uid'), ('process.user', {'uid': 'root'}, 'process.user.uid: must be a whole number'),
            ('process.terminal', 'yes', 'process.terminal: must be true or false'),
            ('process.apparmorProfile', 1, 'process.apparmorProfile'), ('process.selinuxLabel', {}, 'process.selinuxLabel'),
            ('process.rlimits', [{'type': 'RLIMIT_X', 'soft': 1, 'hard': 1}], 'process.rlimits[0].type: unknown limit'),
            ('process.rlimits', [{'type': 'RLIMIT_CORE', 'soft': 2, 'hard': 1}], 'process.rlimits[0]'),
            ('process.capabilities', {'bounding': ['CAP_FLY']}, 'process.capabilities.bounding[0]: unknown capability "CAP_FLY"'),
            ('root', None, 'root: missing'), ('root.path', '/no/such/root', 'root.path'), ('root.path', '/etc/passwd', 'not a directory'),
            ('root.readonly', 1, 'root.readonly'), ('hostname', 'x' * 65, 'hostname'),
            ('mounts', {}, 'mounts: must be an array'), ('mounts', [{'type': 'proc'}], 'mounts[0].destination: missing'),
            ('mounts', [{'destination': '/x', 'type': 'ext4', 'source': '/dev/sda'}], 'mounts[0].type: file system "ext4" is not supported'),
            ('mounts', [{'destination': '/tmp', 'type': 'bind', 'source': '/no/such', 'options': ['bind']}], '/no/such'),
            ('mounts', [{'destination': '/tmp', 'type': 'bind', 'source': '/usr', 'options': ['bind', 'rshared']}], 'rshared'),
            ('hooks', {'prestart': {}}, 'hooks.prestart: must be an array'), ('linux.seccomp', {'defaultAction': 'SCMP_ACT_FLY'}, 'linux.seccomp.defaultAction: unknown action'),
            ('linux.seccomp', {'defaultAction': 'SCMP_ACT_NOTIFY'}, 'linux.seccomp.defaultAction'),
            ('linux.seccomp', {'defaultAction': 'SCMP_ACT_ALLOW', 'listenerPath': '/x'}, 'linux.seccomp.listenerPath'),
            ('linux.namespaces', [{'type': 'pid'}], 'linux.namespaces'), ('linux.namespaces', [{'type': 'moon'}], 'linux.namespaces[0].type'),
            ('linux.namespaces', [{'type': 'pid', 'path': '/proc/1/ns/pid'}], 'linux.namespaces[0].path'),
            ('linux.resources', {'blockIO': {'weight': 1001}}, 'linux.resources.blockIO.weight'),
            ('linux.resources', {'rdma': {'x': {}}}, 'linux.resources.rdma'), ('linux.resources', {'unified': {'memory.high': 1}}, 'unified'),
            ('linux.resources', {'memory': {'limit': 'much'}}, 'linux.resources.memory.limit'),
            ('linux.devices', [{'path': '/dev/sda', 'type': 'b', 'major': 8, 'minor': 0}], 'linux.devices[0]'),
            ('linux.sysctl', {'kernel.nosuchthing': '1'}, 'kernel'), ('linux.uidMappings', [{'containerID': 0, 'hostID': 1000, 'size': 1}], 'linux.uidMappings[0]'),
        ]
        for path, value, want in cases:
            c = copy.deepcopy(good)
            *way, last = path.split('.')
            d = c
            for key in way:
                d = d[key]
            if value is None:
                del d[last]
            else:
                d[last] = value
            self.write_config(json.dumps(c))
            with self.subTest(field=path, value=value):
                self.refused(want)

    def test_fields_of_the_future(self):
        c = self.config('true')
        c['noSuchField'] = {}
        c['process']['noSuchField'] = 1
        c['hooks'] = {'poststop': [{'path': '/bin/true', 'noSuchField': 0}]}
        self.write_config(json.dumps(c))
        self.assert_ok(self.sbx('run', 'one'))

    def test_propagation(self):
        c = self.config('sh', '-c', "awk '{ print $5, $7 }' /proc/self/mountinfo | grep -E '^(/|/m.) ' | sed 's/:.*//'; "
                                    "mount --bind /m2 /m1 && echo bound")
        c['root']['readonly'] = False
        for i, how in (1, 'rshared'), (2, 'unbindable'):
            c['mounts'].append({'destination': f'/m{i}', 'type': 'tmpfs', 'source': 'x', 'options': [how]})
        c['linux']['rootfsPropagation'] = 'shared'
        c['process']['capabilities'] = {k: ['CAP_SYS_ADMIN'] for k in ('bounding', 'effective', 'permitted')}
        self.write_config(json.dumps(c))
        p = self.sbx('--overlay=memory', 'run', 'one')
        self.assertEqual(p.stdout.splitlines(), ['/ shared', '/m1 shared', '/m2 unbindable'])
        self.assertIn('mount', p.stderr)

    def test_program_not_found(self):
        self.config('no-such-program')
        self.refused('exec: "no-such-program": executable file not found in $PATH')
        self.config('/no/such/program')
        self.refused('exec: "/no/such/program": stat /no/such/program: no such file or directory')
        self.config('/etc/passwd')
        self.refused('ermission denied')
        self.config('/etc')
        self.refused('/etc')

    def test_bad_ids(self):
        self.config('true')
        for bad in '', '..', 'a/b', 'x' * 300, 'a b', '\n':
            with self.subTest(id=bad):
                self.refused('invalid container id', 'run', bad)

    def test_id_in_use(self):
        self.config('sleep', '100')
        self.assert_ok(self.sbx('run', '-d', 'one'))
        p = self.sbx('run', 'one')
        self.assertEqual(p.returncode, 1)
        self.assertIn('container with id exists: one', p.stderr)
        self.assert_ok(self.sbx('delete', '-f', 'one'))

    def test_no_such_container(self):
        for verb in ('state', 'start', 'delete', 'ps', 'kill'):
            with self.subTest(verb=verb):
                self.refused('container does not exist: one', verb, 'one')
        self.refused('container does not exist: one', 'exec', 'one', 'true', status=255)

    def test_command_line(self):
        self.refused('unknown command "fly"', 'fly')
        self.refused('unknown option --wings', 'run', '--wings', 'one')
        self.refused('usage:', 'run')
        self.refused('usage:', 'run', 'a', 'b')
        self.refused('--preserve-fds', 'run', '--preserve-fds', 'x', 'one')
        self.refused('--log-format', 'list', flags=['--log-format', 'xml'])
        self.refused('/nowhere/log', 'list', flags=['--log', '/nowhere/log'])

    def test_bad_descriptor(self):
        self.config('true')
        self.refused('--preserve-fds: descriptor', 'run', '--preserve-fds', '5', 'one')

    def test_without_dev(self):
        """A bundle whose root has no /dev, or a file in the place of /dev/null: standard descriptors are the null device
        all the same, and masked files are empty."""
        bare = os.path.join(self.work, 'bare')
        for d in ('usr', 'dev', 'tmp', 'sys'):
            os.makedirs(os.path.join(bare, d))
        for link in ('bin', 'lib', 'lib64'):
            os.symlink('usr/' + link, os.path.join(bare, link))
        with open(os.path.join(bare, 'secret'), 'w') as f:
            f.write('secret')
        mounts = [{'destination': '/proc', 'type': 'proc', 'source': 'proc'},
                  {'destination': '/usr', 'type': 'bind', 'source': os.path.join(ROOTFS, 'usr'), 'options': ['rbind', 'ro']}]
        script = 'cat; cat /secret; stat -L -c "%F %t:%T" /proc/self/fd/0; echo lost >&2'
        for case in 'none', 'file':
            null = os.path.join(bare, 'dev', 'null')
            if case == 'file':
                with open(null, 'w') as f:
                    f.write('kept')
            else:
                os.rmdir(os.path.dirname(null))
            self.config('sh', '-c', script, root__path=bare, mounts=mounts, linux__maskedPaths=['/secret'])
            with open(os.devnull, 'w') as out:
                p = subprocess.run(self.cmd('run', f'bare-{case}'), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=out,
                                   cwd=self.bundle, text=True, timeout=60)
            self.assertEqual((p.returncode, p.stdout), (0, 'character special file 1:3\n'), case)
            if case == 'none':
                os.makedirs(os.path.dirname(null), exist_ok=True)
            else:
                with open(null) as f:
                    self.assertEqual(f.read(), 'kept')

    def test_full_disk(self):
        self.config('true')
        small = os.path.join(self.work, 'small')
        os.mkdir(small)
        subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=4k,nr_inodes=3', 'tmpfs', small], check=True)
        try:
            p = subprocess.run([self.cmd()[0], '--root', small + '/state', 'run', 'one'], cwd=self.bundle,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
            self.assertNotEqual(p.returncode, 0)
            self.assertIn('No space left on device', p.stderr)
            self.assertEqual([x for _, d, f in os.walk(small) for x in d + f if x != 'state'], [])
        finally:
            subprocess.run(['umount', '-l', small], check=True)

    def test_without_user_namespaces(self):
        self.config('true')
        self.refused('user namespaces', prefix=['unshare', '--user', '--map-root-user', 'sh', '-c',
                     'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"', 'sh'])

    def test_without_notification(self):
        self.config('true')
        p = self.refused('sbx-memd', prefix=[DENY, 'notify'])
        self.assertIn('notif', p.stderr)

    def test_without_seccomp(self):
        self.config('true')
        self.refused('filter', prefix=[DENY, 'seccomp'])

    def test_json_log(self):
        self.config('no-such-program')
        log = os.path.join(self.work, 'log')
        self.refused('not found', flags=['--log', log, '--log-format', 'json'])
        with open(log) as f:
            lines = [json.loads(line) for line in f]
        self.assertEqual(lines[-1]['level'], 'error')
        self.assertIn('executable file not found', lines[-1]['msg'])


if __name__ == '__main__':
    main()
