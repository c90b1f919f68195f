package state

import "testing"

// What no host has any more takes no room.
func TestDescriptionsGoWithTheirDrivers(t *testing.T) {
	db, _ := openNew(t)
	one, other := Driver{Name: "d", Version: "1.0.0", Digest: "x"}, Driver{Name: "d", Version: "1.0.0", Digest: "y"}
	for i, tt := range []struct {
		host string
		has  []Driver
		want int64
	}{{"a", []Driver{one}, 1}, {"b", []Driver{one}, 1}, {"b", []Driver{other}, 2}, {"a", nil, 1}, {"b", nil, 0}} {
		for _, host := range []string{"a", "b"} {
			if err := db.Heartbeat(t.Context(), host, ConductorBinary); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.PublishDrivers(t.Context(), tt.host, tt.has); err != nil {
			t.Fatal(err)
		}
		got, err := db.read.NewSelect().Model((*descriptionRow)(nil)).Count(t.Context())
		if err != nil || got != tt.want {
			t.Errorf("%d: %d descriptions, want %d, %v", i, got, tt.want, err)
		}
	}
}
