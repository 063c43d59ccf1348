// A service of http: goroutines, locks and processes.
package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
)

func goroutines(w http.ResponseWriter, _ *http.Request) {
	var wait sync.WaitGroup
	var lock sync.Mutex
	sum := 0
	for i := 0; i < 10000; i++ {
		wait.Add(1)
		go func(i int) {
			defer wait.Done()
			lock.Lock()
			sum += i
			lock.Unlock()
		}(i)
	}
	wait.Wait()
	fmt.Fprintf(w, "%d", sum)
}

func run(w http.ResponseWriter, _ *http.Request) {
	c := exec.Command("sh", "-c", "echo $((6*7)); exit 3")
	out, err := c.Output()
	fmt.Fprintf(w, "%s %v", out, err)
}

func main() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	go func() {
		<-stop
		os.Exit(5)
	}()
	http.HandleFunc("/goroutines", goroutines)
	http.HandleFunc("/exec", run)
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "go") })
	fmt.Println(http.ListenAndServe(":8000", nil))
}
