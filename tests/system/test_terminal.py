#!/usr/bin/env python3
"""Terminals: the launcher's own, an OCI console socket, sizes, job control in an interactive bash."""
import array, fcntl, os, pty, re, select, signal, socket, struct, subprocess, termios, time
from sbxtest import SandboxTest, main


class Console:
    """The user's side of a terminal."""

    def __init__(self, fd):
        self.fd, self.text = fd, ''

    def expect(self, pattern, timeout=20):
        deadline = time.time() + timeout
        while True:
            m = re.search(pattern, self.text, re.S)
            if m:
                self.text = self.text[m.end():]
                return m
            left = deadline - time.time()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise AssertionError(f'no {pattern!r} in {self.text!r}')
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                data = b''
            if not data:
                raise AssertionError(f'the terminal has ended; no {pattern!r} in {self.text!r}')
            self.text += data.decode(errors='replace')

    def send(self, text):
        os.write(self.fd, text.encode())

    def size(self, rows, cols):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, cols, 0, 0))


class Terminal(SandboxTest):
    def on_pty(self, *args, rows=24, cols=80):
        master, slave = pty.openpty()
        c = Console(master)
        c.size(rows, cols)

        def session():
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        p = subprocess.Popen(self.cmd(*args), stdin=slave, stdout=slave, stderr=slave, cwd=self.bundle, preexec_fn=session)
        self.procs.append(p)
        self.addCleanup(os.close, master)
        c.slave = slave
        self.addCleanup(os.close, slave)
        return p, c

    def test_run(self):
        self.config('sh', '-c', 'tty; stty size; test -t 0 && test -t 1 && echo yes; exit 5', terminal=True)
        p, c = self.on_pty('run', 'one', rows=33, cols=99)
        c.expect(r'/dev/pts/0\r\n33 99\r\nyes\r\n')
        self.assertEqual(p.wait(20), 5)

    def test_the_terminal_is_as_before(self):
        self.config('sh', '-c', 'echo up', terminal=True)
        p, c = self.on_pty('run', 'one')
        before = termios.tcgetattr(c.slave)
        c.expect('up')
        p.wait(20)
        self.assertEqual(termios.tcgetattr(c.slave), before)

    def test_the_last_words_arrive(self):
        self.config('seq', '30000', terminal=True)
        for _ in range(5):
            p, c = self.on_pty('run', 'one')
            c.expect('\r\n29999\r\n30000\r\n')
            self.assertEqual(p.wait(20), 0)

    def test_resize(self):
        self.config('bash', '--norc', '--noprofile', terminal=True)
        p, c = self.on_pty('run', 'one')
        c.expect(r'[#$] ')
        c.size(50, 132)
        os.kill(p.pid, signal.SIGWINCH)
        time.sleep(0.2)
        c.send('stty size\n')
        c.expect('50 132')
        c.send('exit\n')
        self.assertEqual(p.wait(20), 0)

    def test_job_control(self):
        self.config('bash', '--norc', '--noprofile', '-i', terminal=True)
        p, c = self.on_pty('run', 'one')
        c.expect(r'[#$] ')
        c.send('sleep 1000\n')
        time.sleep(0.3)
        c.send('\x1a')
        c.expect(r'Stopped')
        c.expect(r'[#$] ')
        c.send('jobs\n')
        c.expect(r'Stopped\s+sleep 1000')
        c.send('bg\n')
        c.expect(r'sleep 1000 &')
        c.send('fg\n')
        c.expect('sleep 1000')
        time.sleep(0.3)
        c.send('\x03')
        c.expect(r'[#$] ')
        c.send('echo status $?\n')
        c.expect('status 130')
        c.send('cat\n')
        time.sleep(0.3)
        c.send('hello\n')
        c.expect('hello\r\nhello')
        c.send('\x04')
        c.expect(r'[#$] ')
        c.send('\x04')
        c.expect('exit')
        p.wait(20)

    def test_exec(self):
        self.config('sleep', '1000')
        self.assert_ok(self.sbx('run', '-d', 'one'))
        p, c = self.on_pty('exec', '-t', 'one', 'sh', '-c', 'tty; stty size; read a; echo got $a; exit 3', rows=11, cols=22)
        c.expect(r'/dev/pts/\d+\r\n11 22\r\n')
        c.send('word\n')
        c.expect('got word')
        self.assertEqual(p.wait(20), 3)
        self.assert_ok(self.sbx('delete', '-f', 'one'))

    def test_console_socket(self):
        path = os.path.join(self.work, 'console')
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen()
        self.config('sh', '-c', 'tty; read a; echo got $a', terminal=True)
        self.assert_ok(self.sbx('create', '--console-socket', path, 'one'))
        conn, _ = listener.accept()
        _, cmsg, _, _ = conn.recvmsg(100, socket.CMSG_SPACE(4))
        fd = array.array('i', cmsg[0][2])[0]
        c = Console(fd)
        self.assert_ok(self.sbx('start', 'one'))
        c.expect(r'/dev/pts/0')
        c.send('word\n')
        c.expect('got word')
        self.wait_status('one', 'stopped')
        os.close(fd)
        conn.close()
        listener.close()
        self.assert_ok(self.sbx('delete', 'one'))

    def test_hangup(self):
        self.config('sh', '-c', 'trap "exit 8" HUP; echo up; while :; do sleep 0.05; done', terminal=True)
        p, c = self.on_pty('run', 'one')
        c.expect('up')
        p.send_signal(signal.SIGHUP)
        self.assertEqual(p.wait(20), 8)

    def test_terminal_without_one(self):
        self.config('true', terminal=True)
        p = self.sbx('run', '-d', 'one')
        self.assertEqual(p.returncode, 1)
        self.assertIn('--console-socket', p.stderr)


if __name__ == '__main__':
    main()
