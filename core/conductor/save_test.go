package conductor

import (
	"database/sql"
	"testing"

	"github.com/go-magnum/magnum/core/magnum"
)

// A phase whose outcome the database would not take is repeated: the operation
// does not go on to the next one without it.
func TestPhaseThatIsNotSavedIsRepeated(t *testing.T) {
	for phase, next := range map[string]string{
		"trust": "waiting for the cluster''s certificates%", "certificates": "waiting for driver fake to describe%", "stack": "waiting for stack%",
	} {
		t.Run(phase, func(t *testing.T) {
			b := newBench(t)
			raw, err := sql.Open("sqlite3", b.path)
			b.must(err)
			defer func() { _ = raw.Close() }()
			// Only the step itself is refused, not what is noted of its failure.
			_, err = raw.ExecContext(t.Context(), `CREATE TRIGGER broken BEFORE UPDATE ON cluster
				WHEN NEW.status_reason LIKE '`+next+`' BEGIN SELECT RAISE(ABORT, 'broken'); END`)
			b.must(err)
			c := b.conductor()
			uuid := b.create(nil)
			b.until("the save fails", func() bool {
				op, err := b.db.ActiveOperation(t.Context(), uuid)
				b.must(err)
				if op == nil {
					t.Fatal(b.cluster(uuid).StatusReason)
				}
				return op.Attempts > 0
			}, c)
			op, err := b.db.ActiveOperation(t.Context(), uuid)
			b.must(err)
			if op.Phase != phase {
				t.Errorf("the operation is at %s", op.Phase)
			}
			_, err = raw.ExecContext(t.Context(), "DROP TRIGGER broken")
			b.must(err)
			got := b.settled(uuid, c)
			if got.Status != magnum.CreateComplete || got.StackID == "" || got.TrustID == "" || got.CACertRef == "" || len(b.heat.Stacks()) != 1 {
				t.Errorf("%s %q: stack %q, %d stacks", got.Status, got.StatusReason, got.StackID, len(b.heat.Stacks()))
			}
		})
	}
}
