package db

// Config says where the memory is.
type Config struct {
	DatabaseURL string `split_words:"true" required:"true" secret:"true" desc:"The Postgres of the records: postgres://user:password@host:5432/staffeln?sslmode=verify-full. No transaction pooling in between: leadership is a lock of a session."`
}
