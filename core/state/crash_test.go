package state

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-magnum/magnum/core/magnum"
)

// crashDir names, in the environment of a copy of this test's binary, where it
// shall write until it is killed.
const crashDir = "MAGNUM_STATE_CRASH_DIR"

// crashWriter accepts clusters and works on their operations, and prints each
// write after it was acknowledged.
func crashWriter(dir string) int {
	ctx := context.Background()
	err := func() error {
		db, err := Open(ctx, Config{
			Connection: "sqlite:///" + filepath.Join(dir, "m.sqlite"),
			Message:    func(e *magnum.Event) (Message, error) { return Message{Body: string(e.Outcome)}, nil },
		})
		if err != nil {
			return err
		}
		template, err := db.Template(ctx, Scope{All: true}, "t")
		if err != nil {
			return err
		}
		for {
			c, op := newCluster(template, "c"), &magnum.Operation{Kind: magnum.OpCreate}
			if err := db.AcceptCreate(ctx, c, op, 1<<30); err != nil {
				return err
			}
			fmt.Println("accepted", c.UUID, op.ID)
			ops, err := db.Claim(ctx, Claimant{Owner: "writer"}, time.Hour, 1)
			if err != nil {
				return err
			}
			for _, op := range ops {
				done := func(c *magnum.Cluster) error {
					c.Status, c.NodeGroups[1].Status = magnum.CreateComplete, magnum.CreateComplete
					return nil
				}
				if err := db.Finish(ctx, op, done); err != nil {
					return err
				}
				fmt.Println("finished", op.ClusterUUID, op.ID)
			}
		}
	}()
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// TestKilledWriter kills a writing process again and again. Whatever was
// acknowledged must be there, and whatever is there must be whole.
func TestKilledWriter(t *testing.T) {
	dir := t.TempDir()
	db := openFile(t, filepath.Join(dir, "m.sqlite"))
	if _, _, err := db.Upgrade(t.Context()); err != nil {
		t.Fatal(err)
	}
	addTemplate(t, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	accepted, finished := map[string]bool{}, map[string]bool{}
	for round := range 6 {
		writer := exec.Command(os.Args[0])
		writer.Env = append(os.Environ(), crashDir+"="+dir)
		writer.Stderr = os.Stderr
		out, err := writer.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := writer.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			what, rest, _ := strings.Cut(lines.Text(), " ")
			uuid, _, whole := strings.Cut(rest, " ")
			switch {
			case !whole: // the last line may be cut off
			case what == "accepted":
				accepted[uuid] = true
			case what == "finished":
				finished[uuid] = true
			}
			if n == 20+7*round {
				if err := writer.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := writer.Wait(); err == nil || writer.ProcessState.ExitCode() != -1 {
			t.Fatalf("the writer was not killed: %v", err)
		}
		checkAfterCrash(t, dir, accepted, finished)
	}
	if len(accepted) < 60 || len(finished) < 50 {
		t.Errorf("only %d accepted, %d finished", len(accepted), len(finished))
	}
}

func checkAfterCrash(t *testing.T, dir string, accepted, finished map[string]bool) {
	t.Helper()
	db := openFile(t, filepath.Join(dir, "m.sqlite"))
	defer func() { _ = db.Close() }()
	var integrity string
	if err := db.read.NewRaw("PRAGMA integrity_check").Scan(t.Context(), &integrity); err != nil || integrity != "ok" {
		t.Fatalf("integrity: %s, %v", integrity, err)
	}
	all, err := db.Clusters(t.Context(), Scope{All: true}, Page{})
	if err != nil {
		t.Fatal(err)
	}
	messages, err := db.Outbox(t.Context(), 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]string{}
	for _, m := range messages {
		told[m.ClusterUUID] += m.Body + " "
	}
	there := map[string]bool{}
	for _, c := range all {
		there[c.UUID] = true
		op, err := db.ActiveOperation(t.Context(), c.UUID)
		if err != nil {
			t.Fatal(err)
		}
		history, err := db.Operations(t.Context(), c.UUID)
		if err != nil {
			t.Fatal(err)
		}
		done := c.Status == magnum.CreateComplete
		if len(c.NodeGroups) != 2 || len(history) != 1 || done != (op == nil) || done != (c.NodeGroups[1].Status == magnum.CreateComplete) {
			t.Errorf("half a write: %+v, active %v, %d operations", c, op, len(history))
		}
		if want := map[bool]string{false: "pending ", true: "pending success "}[done]; told[c.UUID] != want {
			t.Errorf("of %s, which is %s, is told: %s", c.UUID, c.Status, told[c.UUID])
		}
		if finished[c.UUID] && !done {
			t.Errorf("%s was finished, and is %s", c.UUID, c.Status)
		}
	}
	for uuid := range accepted {
		if !there[uuid] {
			t.Errorf("%s was accepted, and is gone", uuid)
		}
	}
}
