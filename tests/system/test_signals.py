#!/usr/bin/env python3
"""Signals reach the container, and no ending leaves anything behind."""
import os, signal, time
from sbxtest import SandboxTest, comm, descendants, main

TRAP = 'trap "echo got term; exit 9" TERM; trap "echo got usr1" USR1; echo up; while :; do sleep 0.05; done'


class Signals(SandboxTest):
    def up(self, name='one', script=TRAP, **kw):
        self.config('sh', '-c', script)
        p = self.start('run', name, **kw)
        self.assertEqual(p.stdout.readline(), 'up\n')
        return p

    def test_forwarded(self):
        p = self.up()
        p.send_signal(signal.SIGUSR1)
        self.assertEqual(p.stdout.readline(), 'got usr1\n')
        p.send_signal(signal.SIGTERM)
        self.assertEqual(p.wait(20), 9)
        self.assertEqual(p.stdout.read(), 'got term\n')

    def test_kill_verb(self):
        p = self.up()
        self.assert_ok(self.sbx('kill', 'one', 'USR1'))
        self.assertEqual(p.stdout.readline(), 'got usr1\n')
        self.assert_ok(self.sbx('kill', 'one', 'SIGUSR1'))
        self.assertEqual(p.stdout.readline(), 'got usr1\n')
        bad = self.sbx('kill', 'one', 'NOSUCH')
        self.assertEqual(bad.returncode, 1)
        self.assertIn('unknown signal "NOSUCH"', bad.stderr)
        self.assert_ok(self.sbx('kill', 'one'))
        self.assertEqual(p.wait(20), 9)
        gone = self.sbx('kill', 'one', '15')
        self.assertEqual(gone.returncode, 1)

    def test_kill_9(self):
        p = self.up()
        self.assert_ok(self.sbx('kill', 'one', '9'))
        self.assertEqual(p.wait(20), 137)

    def test_kill_all(self):
        p = self.up(script='sleep 1000 & echo up; wait; echo left')
        self.assert_ok(self.sbx('kill', '--all', 'one', 'KILL'))
        self.assertEqual(p.wait(20), 137)

    def test_supervisor_killed(self):
        p = self.up(script='sleep 1000 & echo up; wait')
        p.kill()
        p.wait(20)

    def test_supervisor_and_janitor_killed(self):
        p = self.up()
        # the janitor alone: the sandbox goes on, and ends clean
        for pid in descendants(p.pid):
            if comm(pid) == 'sbx-janitor':
                os.kill(pid, signal.SIGKILL)
        p.send_signal(signal.SIGTERM)
        self.assertEqual(p.wait(20), 9)
        self.sbx('delete', '-f', 'one')

    def test_detached_supervisor_killed(self):
        self.config('sleep', '1000')
        self.assert_ok(self.sbx('run', '-d', '--pid-file', 'pid', 'one'))
        os.kill(self.read_pid(), signal.SIGKILL)

    def test_each_service_killed(self):
        for name in 'sysd', 'memd':  # fsd and netd are started again: test_restart.py, test_net.py
            with self.subTest(service=name):
                p = self.up(script='echo up; while :; do sleep 0.05; ls / >/dev/null; done')
                os.kill(self.service(p.pid, name), signal.SIGKILL)
                self.assertNotEqual(p.wait(20), 0)
                self.assertIn(f'sbx-{name} was killed by signal 9', p.stderr.read())
                self.assert_nothing_left()

    def test_killed_while_starting(self):
        self.config('sh', '-c', 'exit 0')
        for delay in range(0, 20):
            p = self.start('run', f'n{delay}')
            time.sleep(delay / 1000)
            p.kill()
            p.wait(20)
        self.assert_nothing_left()

    def test_sigint_while_starting(self):
        self.config('sleep', '1')
        for delay in range(0, 20, 3):
            p = self.start('run', f'n{delay}')
            time.sleep(delay / 1000)
            p.send_signal(signal.SIGINT)
            p.wait(20)


if __name__ == '__main__':
    main()
