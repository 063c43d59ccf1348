import com.sun.net.httpserver.*;
import java.io.*;
import java.nio.*;
import java.nio.channels.*;
import java.nio.file.*;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;
import java.util.zip.CRC32;

/** A service with a pool of 300 threads; each page uses another part of the runtime. */
public class Service {
    static String threads() throws Exception {
        LongAdder sum = new LongAdder();
        CountDownLatch ready = new CountDownLatch(500), go = new CountDownLatch(1);
        List<Thread> all = new ArrayList<>();
        Object lock = new Object();
        long[] plain = new long[1];
        for (int i = 0; i < 500; i++) {
            Thread t = new Thread(() -> {
                ready.countDown();
                try { go.await(); } catch (InterruptedException e) { return; }
                for (int k = 0; k < 100; k++) { sum.increment(); synchronized (lock) { plain[0]++; } }
            });
            t.start();
            all.add(t);
        }
        ready.await();
        go.countDown();
        for (Thread t : all) t.join();
        return sum.sum() + " " + plain[0];
    }

    static String files() throws Exception {
        Path dir = Files.createTempDirectory("t"), f = dir.resolve("a");
        try (FileChannel c = FileChannel.open(f, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            MappedByteBuffer m = c.map(FileChannel.MapMode.READ_WRITE, 0, 1 << 20);
            for (int i = 0; i < 1 << 18; i++) m.putInt(i);
            m.force();
            FileLock l = c.lock();
            l.release();
        }
        CRC32 crc = new CRC32();
        crc.update(Files.readAllBytes(f));
        Files.move(f, dir.resolve("b"), StandardCopyOption.ATOMIC_MOVE);
        Files.createSymbolicLink(dir.resolve("l"), Path.of("b"));
        WatchService w = dir.getFileSystem().newWatchService();
        dir.register(w, StandardWatchEventKinds.ENTRY_CREATE);
        Files.writeString(dir.resolve("c"), "x");
        WatchKey key = w.poll(5, TimeUnit.SECONDS);
        String seen = key == null ? "none" : key.pollEvents().get(0).context().toString();
        try (var s = Files.list(dir)) {
            return crc.getValue() + " " + s.count() + " " + seen + " " + Files.size(dir.resolve("l")) + " " + PosixFilePermissions.toString(Files.getPosixFilePermissions(dir));
        }
    }

    static String process() throws Exception {
        Process p = new ProcessBuilder("sh", "-c", "cat; exit 4").redirectErrorStream(true).start();
        try (OutputStream o = p.getOutputStream()) { o.write("through".getBytes()); }
        String out = new String(p.getInputStream().readAllBytes());
        Process s = new ProcessBuilder("sleep", "100").start();
        s.destroy();
        return out + " " + p.waitFor() + " " + s.waitFor() + " " + ProcessHandle.current().pid();
    }

    static String gc() {
        Map<Integer, byte[]> kept = new HashMap<>();
        for (int i = 0; i < 20000; i++) kept.put(i % 500, new byte[100000]);
        System.gc();
        int[] deep = {0};
        try { recurse(deep); } catch (StackOverflowError e) { return kept.size() + " overflow " + (deep[0] > 1000); }
        return "none";
    }

    static void recurse(int[] deep) { deep[0]++; recurse(deep); }

    /** A null reference and a division are signals to the VM; a selector is epoll; a pipe wakes it. */
    static String virtual() throws Exception {
        int caught = 0;
        String nothing = System.getProperty("not.there");
        for (int i = 0; i < 20000; i++) {
            try { if (i % 2 == 0) nothing.length(); else caught += i / (nothing == null ? 0 : 1); }
            catch (NullPointerException | ArithmeticException e) { caught++; }
        }
        try (Selector s = Selector.open(); ServerSocketChannel l = ServerSocketChannel.open()) {
            l.bind(new java.net.InetSocketAddress("127.0.0.1", 0));
            l.configureBlocking(false);
            l.register(s, SelectionKey.OP_ACCEPT);
            Thread t = new Thread(() -> { try (var c = SocketChannel.open(l.getLocalAddress())) { c.write(ByteBuffer.wrap(new byte[]{1})); } catch (IOException e) { caughtAny.set(true); } });
            t.start();
            int n = s.select(5000);
            t.join();
            new Thread(s::wakeup).start();
            l.accept().close();
            s.selectedKeys().clear();
            s.select(5000);
            return caught + " " + n + " " + caughtAny.get();
        }
    }

    static final AtomicBoolean caughtAny = new AtomicBoolean();

    interface Page { String get() throws Exception; }

    public static void main(String[] args) throws Exception {
        HttpServer server = HttpServer.create(new java.net.InetSocketAddress(8000), 200);
        Map<String, Page> pages = Map.of("/", () -> "java", "/threads", Service::threads, "/files", Service::files, "/process", Service::process,
            "/gc", Service::gc, "/virtual", Service::virtual);
        pages.forEach((path, page) -> server.createContext(path, x -> {
            String text;
            try { text = page.get(); } catch (Exception e) { text = e.toString(); }
            x.sendResponseHeaders(200, text.length());
            try (OutputStream o = x.getResponseBody()) { o.write(text.getBytes()); }
        }));
        ExecutorService pool = Executors.newFixedThreadPool(300);
        for (int i = 0; i < 300; i++) pool.submit(() -> { });
        server.setExecutor(pool);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("bye")));
        server.start();
    }
}
