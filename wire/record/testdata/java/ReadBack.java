import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;
import java.util.zip.CRC32;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.*;

/** Reads each file named and prints its records, checksums verified, with the kafka-clients jar 2.8. */
public class ReadBack {
    public static void main(String[] args) throws Exception {
        for (String arg : args) {
            StringBuilder line = new StringBuilder(Path.of(arg).getFileName().toString()).append(':');
            for (RecordBatch batch : MemoryRecords.readableRecords(ByteBuffer.wrap(Files.readAllBytes(Path.of(arg)))).batches()) {
                batch.ensureValid();
                line.append(" magic ").append(batch.magic()).append(' ').append(batch.compressionType().name);
                for (org.apache.kafka.common.record.Record r : batch) {
                    r.ensureValid();
                    line.append(" | ").append(r.offset()).append(' ').append(r.timestamp()).append(' ')
                        .append(show(r.key())).append('=').append(show(r.value()));
                    for (Header h : r.headers()) line.append(' ').append(h.key()).append(':').append(show(h.value() == null ? null : ByteBuffer.wrap(h.value())));
                }
            }
            System.out.println(line);
        }
    }

    static String show(ByteBuffer b) {
        if (b == null) return "null";
        byte[] bytes = new byte[b.remaining()];
        b.get(bytes);
        if (bytes.length <= 20) return "'" + new String(bytes, StandardCharsets.UTF_8) + "'";
        CRC32 crc = new CRC32();
        crc.update(bytes);
        return bytes.length + " bytes crc " + Long.toHexString(crc.getValue());
    }
}
