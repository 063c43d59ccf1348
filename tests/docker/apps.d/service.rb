# A service with WEBrick; each page uses another part of Ruby.
require 'webrick'
require 'pty'
require 'socket'
require 'tmpdir'
require 'digest'

PAGES = {
  '/hello' => -> { 'ruby' },
  '/threads' => lambda {
    n, lock, queue = 0, Mutex.new, Queue.new
    all = 100.times.map { |i| Thread.new { lock.synchronize { n += i }; queue << i } }
    all.each(&:join)
    "#{n} #{queue.size}"
  },
  '/fork' => lambda {
    r, w = IO.pipe
    pid = fork { w.write('child'); exit!(7) }
    w.close
    out = r.read
    Process.wait(pid)
    got = "#{out} #{$?.exitstatus} #{`echo shell`.strip}"
    pid = spawn('sleep 100')
    Process.kill(:TERM, pid)
    Process.wait(pid)
    "#{got} #{$?.termsig}"
  },
  '/pty' => lambda {
    out = +''
    PTY.spawn('sh', '-c', 'read x; echo got $x; tty | cut -c1-9') do |r, w, _|
      w.puts 'typed'
      begin
        loop { out << r.readpartial(100) }
      rescue EOFError, Errno::EIO
        nil
      end
    end
    out.gsub(/\s+/, ' ')
  },
  '/files' => lambda {
    Dir.mktmpdir do |d|
      File.write("#{d}/a", 'x' * 300_000)
      IO.copy_stream("#{d}/a", "#{d}/b")
      File.open("#{d}/a") { |f| f.flock(File::LOCK_EX) }
      "#{Digest::MD5.file("#{d}/b").hexdigest} #{Dir.children(d).sort} #{File.stat(d).mode.to_s(8)}"
    end
  },
  '/udp' => lambda {
    a = UDPSocket.new.tap { |s| s.bind('127.0.0.1', 0) }
    b = UDPSocket.new
    b.send('datagram', 0, '127.0.0.1', a.addr[1])
    IO.select([a], nil, nil, 5) ? a.recvfrom(100)[0] : 'none'
  }
}.freeze

server = WEBrick::HTTPServer.new(Port: 8000, AccessLog: [], Logger: WEBrick::Log.new(File::NULL))
PAGES.each { |path, fn| server.mount_proc(path) { |_, r| r.body = fn.call } }
trap('TERM') { server.shutdown }
server.start
exit 8
