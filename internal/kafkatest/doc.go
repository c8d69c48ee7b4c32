// Package kafkatest starts what a Kafka client has to be tested against, and breaks it on purpose:
//
//   - real Apache Kafka of any version since 0.8.2, one node or several, made of the jars on Maven Central
//     and run as child processes ([StartKafka], [OpenKafka]);
//   - Kafka's own Java clients and tools out of the same jars, as peers ([StartJava], [RunJava]), and librdkafka
//     ([RunKcat]);
//   - an in-process broker that starts in a millisecond ([NewFake], [OpenFake]);
//   - a TCP proxy that delays, throttles, swallows, corrupts, cuts and resets ([NewProxy], [OpenProxy]);
//   - an in-memory network for testing/synctest ([NewNetwork]).
//
// Every starter has two forms: one that returns an error, for commands, and one that takes a [TB], ends the test when it
// fails and cleans up with it. Operations on what was started return errors in both.
//
// Real brokers need Java 17 or newer, Maven (for the first start of each version) and a Unix system; what is missing is
// told by a [MissingToolError]. Everything else needs Go alone.
package kafkatest
