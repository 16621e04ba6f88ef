package db

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// apiWrites has the tables that the api writes: delete checks, the key that encrypts its cookies, and the sessions that were
// ended.
var apiWrites = map[string]string{
	"delete_checks": "INSERT, UPDATE", "delete_refusals": "INSERT, UPDATE, DELETE",
	"session_key": "INSERT", "sign_outs": "INSERT, DELETE",
}

// GrantAPI grants a role of Postgres what the api needs, and revokes all other privileges on the tables from it. The owner of
// the tables has to run it after each [MigrateUp]. It returns an error for superusers and for owners of the tables, because
// nothing can be revoked from them.
func GrantAPI(ctx context.Context, url, role string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing is lost with it
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		var exists, privileged bool
		const q = `
			SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1),
				EXISTS (SELECT FROM pg_roles WHERE rolname = $1 AND rolsuper)
				OR EXISTS (SELECT FROM pg_roles r, pg_tables t WHERE r.rolname = $1 AND t.schemaname = 'public' AND t.tablename = 'records' AND pg_has_role(r.oid, t.tableowner, 'USAGE'))`
		if err := tx.QueryRow(ctx, q, role).Scan(&exists, &privileged); err != nil {
			return err
		}
		switch {
		case !exists:
			return errors.New(`there is no such role: make it first, as a superuser: CREATE ROLE name LOGIN PASSWORD '...'`)
		case privileged:
			return errors.New("the role is a superuser, or owns the tables: want one that has no rights of its own")
		}
		name := pgx.Identifier{role}.Sanitize()
		statements := []string{
			"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM " + name, "REVOKE CREATE ON SCHEMA public FROM " + name,
			"GRANT USAGE ON SCHEMA public TO " + name, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO " + name,
		}
		for table, rights := range apiWrites {
			statements = append(statements, "GRANT "+rights+" ON "+table+" TO "+name)
		}
		for _, s := range statements {
			if _, err := tx.Exec(ctx, s); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("give the api's role %q its rights: %w", role, err)
	}
	return nil
}

// MayChange reports whether the user of this connection may change records, which the api does not need.
func (d *DB) MayChange(ctx context.Context) (may bool, err error) {
	if err := d.pool.QueryRow(ctx, `SELECT has_table_privilege('records', 'UPDATE')`).Scan(&may); err != nil {
		return false, fmt.Errorf("read what the database's user may do: %w", err)
	}
	return may, nil
}
