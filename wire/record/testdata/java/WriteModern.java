import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import org.apache.kafka.common.compress.*;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.*;

/** Writes batches of message format v2 with the kafka-clients jar 4.x. Argument: the folder to write to. */
public class WriteModern {
    static final long T0 = 1700000000000L;
    static Path dir;

    public static void main(String[] args) throws Exception {
        dir = Path.of(args[0]);
        for (CompressionType type : CompressionType.values()) {
            Compression c = Compression.of(type).build();
            write("v2-" + type.name, records(c, TimestampType.CREATE_TIME, -1, (short) -1, -1, false));
        }
        write("v2-zstd-level19", records(Compression.zstd().level(19).build(), TimestampType.CREATE_TIME, -1, (short) -1, -1, false));
        write("v2-lz4-level15", records(Compression.lz4().level(15).build(), TimestampType.CREATE_TIME, -1, (short) -1, -1, false));
        write("v2-none-logappend", records(Compression.NONE, TimestampType.LOG_APPEND_TIME, -1, (short) -1, -1, false));
        write("v2-gzip-idempotent", records(Compression.gzip().build(), TimestampType.CREATE_TIME, 4711, (short) 3, 99, false));
        write("v2-none-transactional", records(Compression.NONE, TimestampType.CREATE_TIME, 4711, (short) 3, 99, true));
        write("v2-commit", MemoryRecords.withEndTransactionMarker(1000, T0, 7, 4711, (short) 3, new EndTransactionMarker(ControlRecordType.COMMIT, 12)).buffer());
        write("v2-abort", MemoryRecords.withEndTransactionMarker(1000, T0, 7, 4711, (short) 3, new EndTransactionMarker(ControlRecordType.ABORT, 12)).buffer());
        ByteBuffer empty = ByteBuffer.allocate(61);
        DefaultRecordBatch.writeEmptyHeader(empty, (byte) 2, 4711, (short) 3, 99, 1000, 1006, 7, TimestampType.CREATE_TIME, T0, true, false);
        empty.flip();
        write("v2-empty", empty);
    }

    static ByteBuffer records(Compression c, TimestampType type, long pid, short epoch, int sequence, boolean txn) {
        MemoryRecordsBuilder b = new MemoryRecordsBuilder(ByteBuffer.allocate(1 << 20), (byte) 2, c, type, 1000L,
            type == TimestampType.LOG_APPEND_TIME ? T0 + 12345 : -1L, pid, epoch, sequence, txn, false, 7, 1 << 20);
        Header[] headers = {header("a", "1"), header("b", null), header("a", ""), header("", "no key")};
        b.appendWithOffset(1000, T0, bytes("key-0"), bytes("value-0"), headers);
        b.appendWithOffset(1001, T0 + 5, null, bytes("only value"), new Header[0]);
        b.appendWithOffset(1002, T0 + 10, bytes("only key"), null, new Header[0]);
        b.appendWithOffset(1005, T0 - 7, bytes(""), bytes(""), new Header[0]);
        b.appendWithOffset(1006, T0 + 20, bytes("big"), big(c.type() == CompressionType.NONE ? 300 : 70000), new Header[0]);
        return b.build().buffer();
    }

    static byte[] big(int n) {
        StringBuilder s = new StringBuilder();
        for (int i = 0; s.length() < n; i++) s.append("moldau ").append(i * 7919 % 1000).append('\n');
        return bytes(s.substring(0, n));
    }

    static Header header(String k, String v) { return new RecordHeader(k, v == null ? null : bytes(v)); }
    static byte[] bytes(String s) { return s.getBytes(StandardCharsets.UTF_8); }

    static void write(String name, ByteBuffer b) throws Exception {
        byte[] out = new byte[b.remaining()];
        b.duplicate().get(out);
        Files.write(dir.resolve(name + ".bin"), out);
    }
}
