package handle

import (
	"reflect"

	"github.com/moldau-go/moldau/wire/sasl"
)

// Differences are the names of the settings in which two configurations
// differ, defaults filled in; never their values. Functions cannot be compared:
// two that are set count as different. System is left out.
func Differences(a, b Config) []string {
	for _, c := range []*Config{&a, &b} {
		handler := c.Telemetry
		*c = c.withDefaults()
		c.Telemetry, c.System = handler, nil
	}
	return differences(reflect.ValueOf(a), reflect.ValueOf(b), "")
}

// differ are the settings in which a topic's configuration differs from another.
func (p *ProduceConfig) differ(other ProduceConfig) []string {
	return differences(reflect.ValueOf(*p), reflect.ValueOf(other), "")
}

// differences goes into our own structs, so that it can name the setting.
func differences(a, b reflect.Value, prefix string) []string {
	var names []string
	for i := range a.NumField() {
		field := a.Type().Field(i)
		switch field.Type {
		case reflect.TypeFor[ProduceConfig](), reflect.TypeFor[ConsumeConfig]():
			names = append(names, differences(a.Field(i), b.Field(i), prefix+field.Name+".")...)
		default:
			if !same(a.Field(i), b.Field(i)) {
				names = append(names, prefix+field.Name)
			}
		}
	}
	return names
}

// same compares values as far as that can be done: secrets by what they hold,
// types with a method Equal by that, unexported fields of other packages not.
func same(a, b reflect.Value) bool {
	if !a.IsValid() || !b.IsValid() {
		return a.IsValid() == b.IsValid()
	}
	if a.Type() != b.Type() {
		return false
	}
	if secret, ok := reflect.TypeAssert[sasl.Secret](a); ok {
		other, _ := reflect.TypeAssert[sasl.Secret](b)
		return secret.Reveal() == other.Reveal()
	}
	switch a.Kind() {
	case reflect.Func:
		return a.IsNil() && b.IsNil()
	case reflect.Interface, reflect.Pointer:
		return samePointer(a, b)
	case reflect.Slice, reflect.Array:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !same(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Struct:
		return sameStruct(a, b)
	case reflect.Map:
		return sameMap(a, b)
	default:
		return a.Comparable() && a.Equal(b)
	}
}

func sameStruct(a, b reflect.Value) bool {
	if a.Comparable() && a.Equal(b) {
		return true
	}
	exported := 0
	for i := range a.NumField() {
		if !a.Type().Field(i).IsExported() {
			continue
		}
		exported++
		if !same(a.Field(i), b.Field(i)) {
			return false
		}
	}
	return exported > 0
}

func samePointer(a, b reflect.Value) bool {
	if a.IsNil() || b.IsNil() {
		return a.IsNil() == b.IsNil()
	}
	if a.Kind() == reflect.Pointer && a.Pointer() == b.Pointer() {
		return true
	}
	if equal := a.MethodByName("Equal"); equal.IsValid() {
		t := equal.Type()
		if t.NumIn() == 1 && t.NumOut() == 1 && t.Out(0).Kind() == reflect.Bool && b.Type().AssignableTo(t.In(0)) {
			return equal.Call([]reflect.Value{b})[0].Bool()
		}
	}
	if a.Kind() == reflect.Pointer && !ours(a.Type().Elem()) {
		return false
	}
	return same(a.Elem(), b.Elem())
}

// ours says of which types a pointer is looked behind: those whose exported
// fields are all there is to them.
func ours(t reflect.Type) bool {
	switch t.PkgPath() {
	case "crypto/tls", "net", reflect.TypeFor[sasl.Plain]().PkgPath():
		return true
	}
	return false
}

func sameMap(a, b reflect.Value) bool {
	if a.Len() != b.Len() {
		return false
	}
	for _, key := range a.MapKeys() {
		if !same(a.MapIndex(key), b.MapIndex(key)) {
			return false
		}
	}
	return true
}
