// HTTPS by Go's own TLS: `https serve ADDRESS CERTIFICATE KEY`, or `https get URL...`.
package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
)

func hello(answer http.ResponseWriter, request *http.Request) {
	fmt.Fprintf(answer, "hello from %s\n", request.URL.Path)
}

func main() {
	if os.Args[1] == "serve" {
		http.HandleFunc("/", hello)
		panic(http.ListenAndServeTLS(os.Args[2], os.Args[3], os.Args[4], nil))
	}
	anybody := &tls.Config{InsecureSkipVerify: true}
	client := http.Client{Transport: &http.Transport{TLSClientConfig: anybody}}
	for _, url := range os.Args[2:] {
		answer, err := client.Get(url)
		if err != nil {
			panic(err)
		}
		if _, err := io.Copy(os.Stdout, answer.Body); err != nil {
			panic(err)
		}
		answer.Body.Close()
	}
}
