package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/go-magnum/magnum/core/magnum"
)

// Keypair is a row of x509keypair: a certificate and its encrypted key.
type Keypair struct {
	UUID          string
	Certificate   string // PEM
	PrivateKey    string // PEM, encrypted
	Passphrase    string // secret
	Intermediates string
	ProjectID     string
	UserID        string
}

// String keeps the secrets out of logs.
func (k Keypair) String() string { return "keypair " + k.UUID }

// GoString does it for %#v.
func (k Keypair) GoString() string { return k.String() }

type keypairRow struct {
	bun.BaseModel `bun:"table:x509keypair,alias:k"`

	CreatedAt     stamp  `bun:"created_at,nullzero"`
	UpdatedAt     stamp  `bun:"updated_at,nullzero"`
	ID            int64  `bun:"id,pk,autoincrement"`
	UUID          string `bun:"uuid"`
	Certificate   string `bun:"certificate,nullzero"`
	PrivateKey    string `bun:"private_key,nullzero"`
	Passphrase    string `bun:"private_key_passphrase,nullzero"`
	Intermediates string `bun:"intermediates,nullzero"`
	ProjectID     string `bun:"project_id,nullzero"`
	UserID        string `bun:"user_id,nullzero"`
}

func (r *keypairRow) keypair() Keypair {
	return Keypair{UUID: r.UUID, Certificate: r.Certificate, PrivateKey: r.PrivateKey, Passphrase: r.Passphrase,
		Intermediates: r.Intermediates, ProjectID: r.ProjectID, UserID: r.UserID}
}

func (db *DB) insertKeypair(ctx context.Context, tx bun.Tx, k Keypair) error {
	_, err := tx.NewInsert().Model(&keypairRow{
		CreatedAt: stampOf(db.now()), UUID: k.UUID, Certificate: k.Certificate, PrivateKey: k.PrivateKey,
		Passphrase: k.Passphrase, Intermediates: k.Intermediates, ProjectID: k.ProjectID, UserID: k.UserID,
	}).Exec(ctx)
	return err
}

// SaveKeypair stores a new keypair under its UUID.
func (db *DB) SaveKeypair(ctx context.Context, k Keypair) error {
	return db.change(ctx, "save keypair "+k.UUID, func(tx bun.Tx) error {
		err := db.insertKeypair(ctx, tx, k)
		if duplicate(err) {
			return magnum.Errorf(magnum.Conflict, "A x509KeyPair with UUID %s already exists.", k.UUID)
		}
		return err
	})
}

// Keypair loads a keypair by uuid.
func (db *DB) Keypair(ctx context.Context, uuid string) (Keypair, error) {
	var row keypairRow
	err := db.read.NewSelect().Model(&row).Where("k.uuid = ?", uuid).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return Keypair{}, magnum.Errorf(magnum.NotFound, "A key pair %s could not be found.", uuid)
	}
	return row.keypair(), db.explain("load keypair "+uuid, err)
}

// DeleteKeypair removes a keypair. One that is gone already is no error.
func (db *DB) DeleteKeypair(ctx context.Context, uuid string) error {
	return db.change(ctx, "delete keypair "+uuid, func(tx bun.Tx) error {
		if _, err := tx.NewDelete().TableExpr("cluster_keypair").Where("keypair_uuid = ?", uuid).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewDelete().TableExpr("x509keypair").Where("uuid = ?", uuid).Exec(ctx)
		return err
	})
}

// SaveClusterKeypairs stores keypairs of a cluster by what they are for, all
// or none. A purpose that the cluster has a keypair for keeps it: of two
// processes that make them, the first one wins. NotFound if the cluster is
// gone.
func (db *DB) SaveClusterKeypairs(ctx context.Context, clusterUUID string, pairs map[string]Keypair) error {
	return db.change(ctx, "save the keypairs of cluster "+clusterUUID, func(tx bun.Tx) error {
		return db.addKeypairs(ctx, tx, clusterUUID, pairs)
	})
}

func (db *DB) addKeypairs(ctx context.Context, tx bun.Tx, clusterUUID string, pairs map[string]Keypair) error {
	n, err := tx.NewSelect().TableExpr("cluster").Where("uuid = ?", clusterUUID).Count(ctx)
	if err != nil {
		return err
	}
	if n == 0 {
		return clusterNotFound(clusterUUID)
	}
	var taken []string
	err = tx.NewSelect().TableExpr("cluster_keypair").Column("purpose").Where("cluster_uuid = ?", clusterUUID).Scan(ctx, &taken)
	if err != nil {
		return err
	}
	have := map[string]bool{}
	for _, purpose := range taken {
		have[purpose] = true
	}
	for purpose, pair := range pairs {
		if have[purpose] {
			continue
		}
		if err := db.insertKeypair(ctx, tx, pair); err != nil {
			return fmt.Errorf("%s: %w", purpose, err)
		}
		if err := assignKeypair(ctx, tx, clusterUUID, purpose, pair.UUID); err != nil {
			return fmt.Errorf("%s: %w", purpose, err)
		}
	}
	return nil
}

func assignKeypair(ctx context.Context, tx bun.Tx, clusterUUID, purpose, uuid string) error {
	_, err := tx.NewRaw("INSERT INTO cluster_keypair (cluster_uuid, purpose, keypair_uuid) VALUES (?, ?, ?)",
		clusterUUID, purpose, uuid).Exec(ctx)
	return err
}

// ClusterKeypairs returns a cluster's keypairs by what they are for.
func (db *DB) ClusterKeypairs(ctx context.Context, clusterUUID string) (map[string]Keypair, error) {
	var rows []struct {
		keypairRow `bun:",extend"`
		Purpose    string `bun:"purpose"`
	}
	err := db.read.NewSelect().TableExpr("cluster_keypair AS ck").Join("JOIN x509keypair AS k ON k.uuid = ck.keypair_uuid").
		ColumnExpr("ck.purpose, k.uuid, k.certificate, k.private_key, k.private_key_passphrase, k.intermediates, k.project_id, k.user_id").
		Where("ck.cluster_uuid = ?", clusterUUID).Scan(ctx, &rows)
	if err != nil {
		return nil, db.explain("load the keypairs of cluster "+clusterUUID, err)
	}
	pairs := make(map[string]Keypair, len(rows))
	for i := range rows {
		pairs[rows[i].Purpose] = rows[i].keypair()
	}
	return pairs, nil
}

// DeleteClusterKeypairs removes all keypairs of a cluster.
func (db *DB) DeleteClusterKeypairs(ctx context.Context, clusterUUID string) error {
	return db.change(ctx, "delete the keypairs of cluster "+clusterUUID, func(tx bun.Tx) error {
		_, err := tx.NewDelete().TableExpr("x509keypair").
			Where("uuid IN (SELECT keypair_uuid FROM cluster_keypair WHERE cluster_uuid = ?)", clusterUUID).Exec(ctx)
		if err != nil {
			return err
		}
		_, err = tx.NewDelete().TableExpr("cluster_keypair").Where("cluster_uuid = ?", clusterUUID).Exec(ctx)
		return err
	})
}
