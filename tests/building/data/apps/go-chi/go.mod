module example.org/shop

go 1.27

require github.com/go-chi/chi/v5 v5.2.3
