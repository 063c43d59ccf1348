#!/usr/bin/env python3
"""Further processes in a running container."""
import json, os, signal, time
from sbxtest import SandboxTest, main


class Exec(SandboxTest):
    def setUp(self):
        super().setUp()
        self.config('sleep', '1000', process__env=['PATH=/usr/bin:/bin', 'FROM=config'])
        self.assert_ok(self.sbx('run', '-d', 'one'))

    def tearDown(self):
        self.sbx('delete', '-f', 'one')
        super().tearDown()

    def test_streams_and_status(self):
        p = self.sbx('exec', 'one', 'sh', '-c', 'cat; echo err >&2; exit 5', input='in\n')
        self.assert_ok(p, 5)
        self.assertEqual((p.stdout, p.stderr), ('in\n', 'err\n'))

    def test_options(self):
        p = self.sbx('exec', '--cwd', '/usr', '--env', 'A=b', '-e', 'C=d', '--user', '7:8', '-g', '9', 'one', 'sh',
                     '-c', 'pwd; echo $A $C $FROM; id -u; id -g; id -G')
        self.assertEqual(p.stdout, '/usr\nb d config\n7\n8\n8 9\n', p.stderr)

    def test_process_file(self):
        path = os.path.join(self.work, 'process.json')
        with open(path, 'w') as f:
            json.dump({'args': ['sh', '-c', 'echo $X; pwd'], 'cwd': '/tmp', 'user': {'uid': 0, 'gid': 0},
                       'env': ['PATH=/usr/bin:/bin', 'X=y']}, f)
        self.assertEqual(self.sbx('exec', '--process', path, 'one').stdout, 'y\n/tmp\n')

    def test_not_found(self):
        p = self.sbx('exec', 'one', 'no-such-program')
        self.assertEqual(p.returncode, 255)
        self.assertIn('exec: "no-such-program": executable file not found in $PATH', p.stderr)
        p = self.sbx('exec', 'one', '/etc/passwd')
        self.assertEqual(p.returncode, 255)
        p = self.sbx('exec', '--cwd', 'relative', 'one', 'true')
        self.assertEqual(p.returncode, 255)
        self.assertIn('--cwd', p.stderr)

    def test_signal_status(self):
        self.assert_ok(self.sbx('exec', 'one', 'sh', '-c', 'kill -9 $$'), 137)

    def test_signals_are_passed(self):
        p = self.start('exec', 'one', 'sh', '-c', 'trap "exit 6" TERM; echo up; while :; do sleep 0.05; done')
        self.assertEqual(p.stdout.readline(), 'up\n')
        p.send_signal(signal.SIGTERM)
        self.assertEqual(p.wait(20), 6)

    def test_detach(self):
        self.assert_ok(self.sbx('exec', '-d', '--pid-file', 'pid', 'one', 'sh', '-c', 'touch /tmp/was-here; exit 3'))
        pid = self.read_pid()
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 3)
        self.assert_ok(self.sbx('exec', 'one', 'test', '-e', '/tmp/was-here'))

    def test_end_of_the_container(self):
        p = self.start('exec', 'one', 'sh', '-c', 'echo up; sleep 1000')
        self.assertEqual(p.stdout.readline(), 'up\n')
        self.assert_ok(self.sbx('kill', 'one', 'KILL'))
        self.assertEqual(p.wait(20), 137)
        self.wait_status('one', 'stopped')
        q = self.sbx('exec', 'one', 'true')
        self.assertEqual(q.returncode, 255)
        self.assertIn('not running', q.stderr)

    def test_many(self):
        procs = [self.start('exec', 'one', 'sh', '-c', f'echo {i}; exit {i}') for i in range(10)]
        for i, p in enumerate(procs):
            out, err = p.communicate(timeout=60)
            self.assertEqual((p.returncode, out), (i, f'{i}\n'), err)

    def test_big_arguments(self):
        big = 'x' * 100000
        self.assertEqual(self.sbx('exec', 'one', 'sh', '-c', 'echo ${#1}', 'sh', big).stdout, '100000\n')


if __name__ == '__main__':
    main()
