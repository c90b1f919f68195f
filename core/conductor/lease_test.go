package conductor

import "testing"

// An operation that is finished by its own worker is in nobody's hands any more,
// which is not to be taken for another's.
func TestFinishedIsNotTakenOver(t *testing.T) {
	one := &task{}
	one.identity.ID, one.identity.Fence = "o", 3
	for _, finishing := range []bool{false, true} {
		one.finishing.Store(finishing)
		for name, tt := range map[string]struct {
			fences map[string]int64
			want   bool
		}{
			"ours":      {map[string]int64{"o": 3}, true},
			"another's": {map[string]int64{"o": 4}, false},
			"nobody's":  {map[string]int64{"p": 3}, finishing},
		} {
			if got := one.in(tt.fences); got != tt.want {
				t.Errorf("%s, finishing %t: it is ours: %t", name, finishing, got)
			}
		}
	}
}
