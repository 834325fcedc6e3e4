package study

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"rnas/internal/fault"
)

// timeFile is the name of the file in the folder of a job that tells its cost.
const timeFile = "time.json"

// Cost is the time that a job took, over all attempts.
type Cost struct {
	CPU  float64 `json:"cpu_seconds"` // of all threads, user and system
	Wall float64 `json:"wall_seconds"`
}

// costInterval is the time between two notes of the cost of a job: what is lost when the process is killed.
const costInterval = 10 * time.Second

// clock measures the cost of a job and notes it in the job's folder.
type clock struct {
	path        string
	before, now Cost
	began       time.Time
	cpu         float64
	stopping    chan struct{}
	stopped     sync.WaitGroup
	err         error
}

// startClock goes on from the cost that is noted in dir.
func startClock(dir string) (*clock, error) {
	c := &clock{path: filepath.Join(dir, timeFile), began: time.Now(), cpu: cpuSeconds(), stopping: make(chan struct{})}
	var err error
	if c.before, err = readCost(dir); err != nil {
		return nil, err
	}
	c.stopped.Go(func() {
		tick := time.NewTicker(costInterval)
		defer tick.Stop()
		for c.err == nil {
			select {
			case <-c.stopping:
				return
			case <-tick.C:
				c.note()
			}
		}
	})
	return c, nil
}

func (c *clock) note() {
	c.now = Cost{CPU: c.before.CPU + cpuSeconds() - c.cpu, Wall: c.before.Wall + time.Since(c.began).Seconds()}
	c.err = writeJSON(c.path, c.now)
}

// stop notes the cost and returns it.
func (c *clock) stop() (Cost, error) {
	close(c.stopping)
	c.stopped.Wait()
	if c.err == nil {
		c.note()
	}
	return c.now, c.err
}

// readCost is the cost noted in the folder of a job; 0 without a note.
func readCost(dir string) (Cost, error) {
	path := filepath.Join(dir, timeFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Cost{}, nil
	}
	if err != nil {
		return Cost{}, err
	}
	var c Cost
	if err := json.Unmarshal(data, &c); err != nil {
		return Cost{}, fault.Inputf("%s: not the cost of a job: %w", path, err)
	}
	return c, nil
}

// text is the cost for people.
func (c Cost) text() string { return fmt.Sprintf("%.1f s, CPU %.1f s", c.Wall, c.CPU) }
