package state

import (
	"testing"

	"github.com/go-magnum/magnum/core/magnum"
)

// Where nobody is told, there is neither a row nor a statement for it.
func TestNobodyIsTold(t *testing.T) {
	db, _ := openNew(t)
	template := addTemplate(t, db)
	cost := func() int64 {
		t.Helper()
		before := db.QueryCount()
		if err := db.AcceptCreate(t.Context(), newCluster(template, "c"), &magnum.Operation{Kind: magnum.OpCreate}, 9); err != nil {
			t.Fatal(err)
		}
		return db.QueryCount() - before
	}
	silent := cost()
	if all, err := db.Outbox(t.Context(), 9); err != nil || len(all) != 0 {
		t.Errorf("%v, %v", all, err)
	}
	db.message = func(*magnum.Event) (Message, error) { return Message{Body: "{}"}, nil }
	if told := cost(); told != silent+1 {
		t.Errorf("%d statements, and %d where nobody is told", told, silent)
	}
}
