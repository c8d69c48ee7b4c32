package kafkatest

import (
	"fmt"
	"strings"
)

type artifact struct {
	group, name, version string
	exclude              []string // group:name
}

// notOnCentral are old dependencies of log4j 1 that Maven Central does not carry and that no broker needs.
var notOnCentral = [...]string{"com.sun.jmx:jmxri", "com.sun.jdmk:jmxtools", "javax.jms:jms"}

// artifacts lists what a broker of this version and its tools need, without what those name themselves.
func (v version) artifacts() []artifact {
	list := []artifact{{group: "org.apache.kafka", name: "kafka_" + v.scala(), version: v.text}}
	if v.atLeast(0, 9) {
		list = append(list, v.tools())
	}
	switch {
	case v.atLeast(4):
		list = append(list, artifact{group: "org.apache.logging.log4j", name: "log4j-slf4j-impl", version: "2.25.3"})
	case v.atLeast(1):
		list = append(list, artifact{group: "ch.qos.reload4j", name: "reload4j", version: "1.2.25"},
			artifact{group: "org.slf4j", name: "slf4j-reload4j", version: "1.7.36"})
	}
	if v.text == "4.4.0" { // its kafka-tools-api is not published; the one before fits
		list = append(list, artifact{group: "org.apache.kafka", name: "kafka-tools-api", version: "4.3.1"})
	}
	if v.atLeast(0, 10) && !v.atLeast(2) { // Java dropped javax.xml.bind
		list = append(list, artifact{group: "javax.xml.bind", name: "jaxb-api", version: "2.3.1"})
	}
	for i := range list {
		list[i].exclude = append(list[i].exclude, notOnCentral[:]...)
		if v.atLeast(1) && !v.atLeast(4) { // one logging backend: reload4j in place of log4j 1
			list[i].exclude = append(list[i].exclude, "log4j:log4j", "org.slf4j:slf4j-log4j12")
		}
	}
	return list
}

func (v version) tools() artifact {
	tools := artifact{group: "org.apache.kafka", name: "kafka-tools", version: v.text}
	if v.text == "4.4.0" {
		tools.exclude = []string{"org.apache.kafka:kafka-tools-api"}
	}
	return tools
}

// pom is the Maven project that fetches the version.
func (v version) pom() string {
	var b strings.Builder
	b.WriteString(`<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>` + "\n")
	fmt.Fprintf(&b, "<groupId>moldau</groupId><artifactId>kafka-jars</artifactId><version>%s</version>\n<dependencies>\n", v.text)
	for _, a := range v.artifacts() {
		fmt.Fprintf(&b, "<dependency><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version><exclusions>", a.group, a.name, a.version)
		for _, exclude := range a.exclude {
			group, name, _ := strings.Cut(exclude, ":")
			fmt.Fprintf(&b, "<exclusion><groupId>%s</groupId><artifactId>%s</artifactId></exclusion>", group, name)
		}
		b.WriteString("</exclusions></dependency>\n")
	}
	b.WriteString("</dependencies></project>\n")
	return b.String()
}
