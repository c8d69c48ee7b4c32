import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import org.apache.kafka.common.record.*;

/** Writes message sets of formats v0 and v1 with the kafka-clients jar 2.8. Argument: the folder to write to. */
public class WriteOld {
    static final long T0 = 1700000000000L;
    static Path dir;

    public static void main(String[] args) throws Exception {
        dir = Path.of(args[0]);
        for (byte magic = 0; magic < 2; magic++) {
            for (CompressionType type : CompressionType.values()) {
                if (type == CompressionType.ZSTD) continue;
                write("v" + magic + "-" + type.name, records(magic, type, magic == 0 ? TimestampType.NO_TIMESTAMP_TYPE : TimestampType.CREATE_TIME));
            }
        }
        write("v1-none-logappend", records((byte) 1, CompressionType.NONE, TimestampType.LOG_APPEND_TIME));
        write("v1-gzip-logappend", records((byte) 1, CompressionType.GZIP, TimestampType.LOG_APPEND_TIME));
    }

    static ByteBuffer records(byte magic, CompressionType c, TimestampType type) {
        MemoryRecordsBuilder b = new MemoryRecordsBuilder(ByteBuffer.allocate(1 << 20), magic, c, type, 1000L,
            type == TimestampType.LOG_APPEND_TIME ? T0 + 12345 : -1L, -1L, (short) -1, -1, false, false, -1, 1 << 20);
        b.appendWithOffset(1000, time(magic, 0), bytes("key-0"), bytes("value-0"));
        b.appendWithOffset(1001, time(magic, 5), null, bytes("only value"));
        b.appendWithOffset(1002, time(magic, 10), bytes("only key"), null);
        b.appendWithOffset(1005, time(magic, -7), bytes(""), bytes(""));
        b.appendWithOffset(1006, time(magic, 20), bytes("big"), big(c == CompressionType.NONE ? 300 : 70000));
        return b.build().buffer();
    }

    static long time(byte magic, long delta) { return magic == 0 ? -1 : T0 + delta; }

    static byte[] big(int n) {
        StringBuilder s = new StringBuilder();
        for (int i = 0; s.length() < n; i++) s.append("moldau ").append(i * 7919 % 1000).append('\n');
        return bytes(s.substring(0, n));
    }

    static byte[] bytes(String s) { return s.getBytes(StandardCharsets.UTF_8); }

    static void write(String name, ByteBuffer b) throws Exception {
        byte[] out = new byte[b.remaining()];
        b.duplicate().get(out);
        Files.write(dir.resolve(name + ".bin"), out);
    }
}
