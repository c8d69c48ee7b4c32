import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;

import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;

/** Reads keys from a file, each as count of partitions, length, bytes; writes the partition that Java's producer chooses for each. */
public class Partitions {
    public static void main(String[] args) throws Exception {
        try (DataInputStream in = new DataInputStream(new BufferedInputStream(Files.newInputStream(Path.of(args[0])), 1 << 16));
             DataOutputStream out = new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(Path.of(args[1])), 1 << 16))) {
            for (int left = in.readInt(); left > 0; left--) {
                int count = in.readInt();
                byte[] key = in.readNBytes(in.readInt());
                out.writeInt(BuiltInPartitioner.partitionForKey(key, count));
            }
        }
    }
}
