// A web server that counts what it is sent, and a client of it, with what the standard library does by itself:
//
//	goweb serve ADDR      goweb post URL BYTES
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"sync"
)

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 0
	}
	return len(p), nil
}

func post(url string, size int64) error {
	reply, err := http.Post(url, "application/octet-stream", io.LimitReader(zeros{}, size))
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if want := fmt.Sprint("got ", size); err == nil && string(text) != want {
		err = fmt.Errorf("%q instead of %q", text, want)
	}
	return err
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "serve" {
		http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
			n, _ := io.Copy(io.Discard, r.Body)
			fmt.Fprint(w, "got ", n)
		})
		log.Fatal(http.ListenAndServe(os.Args[2], nil))
	}
	size, _ := strconv.ParseInt(os.Args[3], 10, 64)
	var all sync.WaitGroup
	for i := 0; i < 20; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			if err := post(os.Args[2], size); err != nil {
				log.Fatal(err)
			}
		}()
	}
	all.Wait()
	fmt.Println("20 of 20")
}
