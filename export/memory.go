package export

import "fmt"

// memory bounds what reading a model may allocate: 4 times the bytes of its files, which count themselves, and 64 MiB.
// The sizes below are what a message costs as structs here and as a part of the graph.
type memory struct{ size, left int64 }

const (
	memoryBase   = 64 << 20
	memoryGrowth = 4

	nodeMemory   = 1024
	valueMemory  = 512
	nameMemory   = 128
	attrMemory   = 256
	tensorMemory = 512
)

// newMemory is the memory for a file of the given size, which is held as it is beside what is made of it.
func newMemory(size int64) *memory {
	m := &memory{left: memoryBase}
	m.grow(size)
	m.left -= size
	return m
}

// grow allows for one more file.
func (m *memory) grow(size int64) {
	m.size += size
	m.left += memoryGrowth * size
}

// take accounts for n bytes that are about to be allocated.
func (m *memory) take(n int64) error {
	if n > m.left {
		return fmt.Errorf("a model of %d bytes needs more memory than 4 times its size and 64 MiB", m.size)
	}
	m.left -= n
	return nil
}
