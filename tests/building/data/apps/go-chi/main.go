package main

import (
	"fmt"
	"html/template"
	"log"
	"net/http"
	"os"
	"os/user"
	"runtime"
	"time"

	"github.com/go-chi/chi/v5"
)

func main() {
	page := template.Must(template.ParseFiles("templates/page.html"))
	router := chi.NewRouter()
	router.Get("/", func(answer http.ResponseWriter, _ *http.Request) {
		who, _ := user.Current()
		zone, err := time.LoadLocation("Europe/Berlin")
		fmt.Fprintln(answer, runtime.Version(), who.Username, zone, err)
	})
	router.Get("/page", func(answer http.ResponseWriter, _ *http.Request) { page.Execute(answer, "it sails") })
	log.Fatal(http.ListenAndServe(":"+os.Getenv("PORT"), router))
}
