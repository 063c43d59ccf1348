#!/usr/bin/env python3
"""Hooks of all six kinds, in their order and place, with the container's state; network namespaces."""
import json, os, subprocess
from sbxtest import SandboxTest, main

KINDS = ('prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop')


class Hooks(SandboxTest):
    def setUp(self):
        super().setUp()
        self.log = os.path.join(self.work, 'log')

    def hook(self, kind, script=None):
        """A hook that adds a line: its kind, its argument, the state's status, the network namespace."""
        script = script or f'read -r state; echo "$state" >> {self.log}.{kind}; ' \
                           f'echo {kind} $1 $X $(readlink /proc/self/ns/net) >> {self.log}'
        return {'path': '/bin/sh', 'args': ['hook', '-c', script, 'zero', 'one'], 'env': ['X=y', 'PATH=/usr/bin:/bin']}

    def lines(self):
        with open(self.log) as f:
            return [line.split() for line in f]

    def state(self, kind):
        with open(f'{self.log}.{kind}') as f:
            return json.loads(f.read())

    def inner(self):
        # in the container: its root is read-only, so it speaks through a mount
        return {'path': '/bin/sh', 'args': ['sh', '-c', f'cat >> /host/log.startContainer; echo startContainer $1 $X inside >> /host/log', 'zero', 'one'],
                'env': ['X=y', 'PATH=/usr/bin:/bin']}

    def with_hooks(self, *args, **changes):
        hooks = {k: [self.hook(k)] for k in KINDS}
        hooks['startContainer'] = [self.inner()]
        c = self.config(*args, hooks=hooks, **changes)
        c['mounts'].append({'destination': '/tmp', 'type': 'tmpfs', 'source': 'tmpfs'})
        c['mounts'].append({'destination': '/host', 'type': 'bind', 'source': self.work, 'options': ['bind', 'rw']})
        # the mount point has to be there on a read-only root
        c['root']['readonly'] = False
        self.write_config(json.dumps(c))

    def test_order_and_state(self):
        self.with_hooks('sleep', '100')
        flags = ['--overlay=memory']
        self.assert_ok(self.sbx('create', '--pid-file', 'pid', 'one', flags=flags))
        self.assertEqual([x[0] for x in self.lines()], list(KINDS[:3]))
        self.assert_ok(self.sbx('start', 'one'))
        self.assertEqual([x[0] for x in self.lines()], list(KINDS[:5]))
        self.assert_ok(self.sbx('kill', 'one', 'KILL'))
        self.wait_status('one', 'stopped')
        self.assertEqual(len(self.lines()), 5)
        net = os.readlink('/proc/self/ns/net')
        self.assert_ok(self.sbx('delete', 'one'))
        lines = self.lines()
        self.assertEqual([x[0] for x in lines], list(KINDS))
        self.assertTrue(all(x[1:3] == ['one', 'y'] for x in lines), lines)
        where = {x[0]: x[3] for x in lines}
        self.assertEqual({k: where[k] == net for k in KINDS},
                         {'prestart': True, 'createRuntime': True, 'createContainer': False, 'startContainer': False, 'poststart': True, 'poststop': True})
        want = dict(zip(KINDS, ('creating', 'creating', 'creating', 'created', 'running', 'stopped')))
        for kind in KINDS:
            s = self.state(kind)
            self.assertEqual((s['status'], s['id'], s['bundle']), (want[kind], 'one', self.bundle), kind)
            if want[kind] != 'stopped':
                self.assertEqual(s['pid'], self.read_pid(), kind)

    def test_run_runs_them_all(self):
        self.with_hooks('true')
        self.assert_ok(self.sbx('run', 'one', flags=['--overlay=memory']))
        self.assertEqual([x[0] for x in self.lines()], list(KINDS))

    def test_a_killed_supervisor_has_its_poststop(self):
        self.config('sleep', '100', hooks={'poststop': [self.hook('poststop')]})
        self.assert_ok(self.sbx('run', '-d', '--pid-file', 'pid', 'one'))
        os.kill(self.read_pid(), 9)
        self.assert_nothing_left()
        self.assertEqual([x[0] for x in self.lines()], ['poststop'])

    def test_a_hook_that_fails(self):
        for kind in KINDS[:4]:
            with self.subTest(kind=kind):
                self.config('true', hooks={kind: [self.hook(kind, 'echo words >&2; exit 3')]})
                p = self.sbx('run', 'one')
                self.assertNotEqual(p.returncode, 0)
                self.assertIn(f'{kind} hook #0: error running hook: exit status 3', p.stderr)
                self.assertIn('words', p.stderr)
        for kind in KINDS[4:]:
            with self.subTest(kind=kind):
                self.config('true', hooks={kind: [self.hook(kind, 'exit 3'), self.hook(kind)]})
                if os.path.exists(self.log):
                    os.unlink(self.log)
                self.assert_ok(self.sbx('run', 'one'))
                self.assertEqual([x[0] for x in self.lines()], [kind])

    def test_timeout(self):
        for kind in 'prestart', 'startContainer':
            h = self.hook(kind, 'sleep 100')
            h['timeout'] = 1
            self.config('true', hooks={kind: [h]})
            p = self.sbx('run', 'one')
            self.assertIn('hook ran past specified timeout of 1s', p.stderr)
            self.assert_nothing_left()

    def test_not_a_hook(self):
        for hook, want in (({'path': 'true'}, 'absolute'), ({}, 'absolute'), ({'path': '/x', 'timeout': 0}, 'timeout'),
                           ([], 'must be an object')):
            self.config('true', hooks={'prestart': [hook]})
            self.assertIn(want, self.sbx('run', 'one').stderr)
        self.config('true', hooks={'prestart': [{'path': '/no/such'}]})
        self.assertIn('exec /no/such: No such file', self.sbx('run', 'one').stderr)

    def namespaces(self, net):
        return [{'type': t} for t in ('pid', 'ipc', 'uts', 'mount')] + ([net] if net else [])

    def test_the_supervisor_is_in_the_network_namespace(self):
        def net_of():
            with open(self.bundle + '/pid') as f:
                return os.readlink(f'/proc/{f.read()}/ns/net')
        own = os.readlink('/proc/self/ns/net')
        holder = subprocess.Popen(['unshare', '-n', 'sleep', '100'])
        self.procs.append(holder)
        while os.readlink(f'/proc/{holder.pid}/ns/net') == own:
            pass
        path = f'/proc/{holder.pid}/ns/net'
        for net, want in (({'type': 'network', 'path': path}, lambda x: x == os.readlink(path)),
                          ({'type': 'network'}, lambda x: x not in (own, os.readlink(path)))):
            with self.subTest(net=net):
                self.config('sleep', '100', linux__namespaces=self.namespaces(net))
                self.assert_ok(self.sbx('create', '--pid-file', 'pid', 'one'))
                self.assertTrue(want(net_of()))
                self.assert_ok(self.sbx('delete', '-f', 'one'))
        holder.kill()
        holder.wait()
        self.procs.remove(holder)

    def test_network_namespaces_that_cannot_be(self):
        for net, want in (({'type': 'network', 'path': '/no/such'}, '/no/such'), ({'type': 'network', 'path': 'x'}, 'absolute'),
                          ({'type': 'network', 'path': '/proc/self/ns/uts'}, 'joining'), ({'type': 'network', 'path': '/etc/passwd'}, 'joining')):
            self.config('true', linux__namespaces=self.namespaces(net))
            self.assertIn(want, self.sbx('run', 'one').stderr)


if __name__ == '__main__':
    main()
