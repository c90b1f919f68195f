package keystone

import "testing"

func TestLRU(t *testing.T) {
	l := newLRU[int, string](2)
	l.put(1, "a")
	l.put(2, "b")
	l.get(1)
	l.put(3, "c") // 2 was used longest ago
	if _, ok := l.get(2); ok || l.len() != 2 {
		t.Errorf("2 is still there, of %d", l.len())
	}
	if v := l.getOrPut(1, func() string { return "new" }); v != "a" {
		t.Errorf("1 is %q", v)
	}
	l.put(1, "z")
	if v, _ := l.get(1); v != "z" || l.len() != 2 {
		t.Errorf("1 is %q, of %d", v, l.len())
	}
	l.remove(1)
	l.remove(1)
	if l.len() != 1 {
		t.Errorf("%d are left", l.len())
	}
}
