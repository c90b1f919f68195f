package e2e

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3" // the test reads the tables as a thief would

	"github.com/go-magnum/magnum/core/config"
	"github.com/go-magnum/magnum/core/state"
)

// TestSecretsStayInside runs a cluster's life with debug logging, gathers every
// secret there is, and looks for each in what others can see: logs, API
// answers, command lines, environments and the database's operation rows.
func TestSecretsStayInside(t *testing.T) {
	l := newLab(t, 300*time.Millisecond)
	text, err := os.ReadFile(l.conf)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(l.conf, append(text, "\n[DEFAULT]\ndebug = true\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	api := l.startAPI()
	conductor := l.start("conductor", "")
	user := l.client("demo")
	id := l.create(user, l.template(user), "vault", 1, 1)
	secrets := map[string]string{"the user's token": user.Token()}
	l.confSecrets(secrets)

	var seen bytes.Buffer
	look := func(moment string) {
		for _, p := range descendants(t, api.cmd.Process.Pid, conductor.cmd.Process.Pid) {
			for _, f := range []string{"cmdline", "environ"} {
				b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p), f))
				if err != nil {
					continue // it has ended
				}
				fmt.Fprintf(&seen, "\n== %s of process %d, %s ==\n%s", f, p, moment, bytes.ReplaceAll(b, []byte{0}, []byte("\n")))
			}
		}
	}
	drivers := 0
	poll(t, 60*time.Second, "the cluster and a driver process", func() (bool, error) {
		look("while creating")
		drivers = max(drivers, len(descendants(t, conductor.cmd.Process.Pid))-1)
		got := l.cluster(user, id)
		fmt.Fprintf(&seen, "\n== answer ==\n%+v", got)
		if strings.HasSuffix(got.Status, "FAILED") {
			return false, fmt.Errorf("it is %s: %s", got.Status, got.StatusReason)
		}
		return got.Status == "CREATE_COMPLETE", nil
	})
	if drivers == 0 {
		t.Error("no driver process was seen: the test did not look where it should")
	}
	l.rowSecrets(id, secrets, &seen)
	if len(secrets) < 8 {
		t.Fatalf("only these secrets are known: %v", keys(secrets))
	}
	fmt.Fprintf(&seen, "\n== logs ==\n%s", l.logs.String())
	for name, secret := range secrets {
		if secret == "" {
			t.Errorf("%s is empty: nothing to look for", name)
			continue
		}
		if i := bytes.Index(seen.Bytes(), []byte(secret)); i >= 0 {
			before := seen.Bytes()[:i]
			where := before[bytes.LastIndex(before, []byte("\n== "))+1:]
			t.Errorf("%s is in %s", name, where[:bytes.IndexByte(where, '\n')])
		}
	}
}

// confSecrets are the passwords of the configuration.
func (l *lab) confSecrets(into map[string]string) {
	l.t.Helper()
	c, err := config.Load(l.conf)
	if err != nil {
		l.t.Fatal(err)
	}
	into["the service's password"] = c.KeystoneAuthtoken.Password.Reveal()
	into["the domain admin's password"] = c.Trust.TrusteeDomainAdminPassword.Reveal()
}

// rowSecrets reads the secrets of the cluster from its row and its key pairs,
// and shows the rest of the database that others may read.
func (l *lab) rowSecrets(id string, into map[string]string, seen *bytes.Buffer) {
	l.t.Helper()
	l.withDB(func(ctx context.Context, db *state.DB) error {
		c, err := db.Cluster(ctx, state.Scope{All: true}, id)
		if err != nil {
			return err
		}
		into["the trustee's password"] = c.TrusteePassword
		into["the trust"] = c.TrustID
		for name, ref := range map[string]string{
			"CA": c.CACertRef, "etcd CA": c.EtcdCACertRef, "front proxy CA": c.FrontProxyCertRef, "client": c.MagnumCertRef,
		} {
			k, err := db.Keypair(ctx, ref)
			if err != nil {
				return err
			}
			into["passphrase of the "+name+" key"] = k.Passphrase
			into[name+" key"] = strings.Split(strings.TrimSpace(k.PrivateKey), "\n")[1]
		}
		return nil
	})
	db, err := sql.Open("sqlite3", strings.TrimPrefix(l.db, "sqlite:///"))
	if err != nil {
		l.t.Fatal(err)
	}
	defer db.Close()
	for _, table := range []string{"operation", "driver_description", "driver_offer", "cluster_driver"} {
		rows, err := db.QueryContext(l.t.Context(), "SELECT * FROM "+table)
		if err != nil {
			l.t.Fatal(err)
		}
		fmt.Fprintf(seen, "\n== table %s ==\n", table)
		columns, err := rows.Columns()
		if err != nil {
			l.t.Fatal(err)
		}
		for rows.Next() {
			cells := make([]any, len(columns))
			for i := range cells {
				cells[i] = new(sql.RawBytes)
			}
			if err := rows.Scan(cells...); err != nil {
				l.t.Fatal(err)
			}
			for _, c := range cells {
				fmt.Fprintf(seen, "%s\n", *c.(*sql.RawBytes))
			}
		}
		if err := rows.Close(); err != nil {
			l.t.Fatal(err)
		}
	}
}

// descendants lists processes and all their children.
func descendants(t testing.TB, roots ...int) []int {
	t.Helper()
	parents := map[int][]int{}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat"))
		if err != nil {
			continue
		}
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		parent, err := strconv.Atoi(fields[1])
		if err != nil {
			t.Fatal(err)
		}
		parents[parent] = append(parents[parent], pid)
	}
	var all []int
	for next := roots; len(next) > 0; {
		p := next[0]
		all = append(all, p)
		next = append(slices.Clone(next[1:]), parents[p]...)
	}
	return all
}

func keys(m map[string]string) []string {
	var all []string
	for k := range m {
		all = append(all, k)
	}
	return all
}
