// SPDX-License-Identifier: Apache-2.0

// Package proc stands in for a module that is not served: it knows whether a process is there and counts nothing.
package proc

import (
	"os"
	"path/filepath"
	"strconv"
	"time"

	common "github.com/ncabatoff/process-exporter"
)

type FS struct{ root string }

type Proc struct{}

type Iter struct{}

type Memory struct{ ResidentBytes, VirtualBytes uint64 }

type Counts struct {
	CPUSystemTime         float64
	ReadBytes, WriteBytes uint64
}

type Group struct {
	Counts
	Procs           int
	Memory          Memory
	OldestStartTime time.Time
}

type Grouper struct{}

func NewFS(root string, _ bool) (*FS, error) { return &FS{root}, nil }

func (f *FS) Proc(pid int) (Proc, error) {
	_, err := os.Stat(filepath.Join(f.root, strconv.Itoa(pid)))
	return Proc{}, err
}

func (f *FS) AllProcs() Iter { return Iter{} }

func NewGrouper(common.MatchNamer, bool, bool, bool, bool) *Grouper { return &Grouper{} }

func (g *Grouper) Update(Iter) (struct{}, map[string]Group, error) { return struct{}{}, nil, nil }
