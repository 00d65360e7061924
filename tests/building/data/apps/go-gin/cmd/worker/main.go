package main

import (
	"database/sql"
	"fmt"

	_ "github.com/mattn/go-sqlite3"
)

func main() {
	database, _ := sql.Open("sqlite3", ":memory:")
	var version string
	err := database.QueryRow("SELECT sqlite_version()").Scan(&version)
	fmt.Println("sqlite", version != "", err)
}
