package main

import (
	"net/http"
	"os"

	"github.com/gin-gonic/gin"
)

func main() {
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.GET("/", func(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"from": "gin"}) })
	router.Run(":" + os.Getenv("PORT"))
}
