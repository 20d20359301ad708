package sqlite

import (
	"container/list"
	"sync"
)

// numberCache keeps blocks of numbers that were read, those that were read last, up to a
// bound. Only files that nobody writes have it, so a block stays what it is; it is forgotten
// when its file is closed. It is safe for concurrent use, and nil keeps nothing.
type numberCache struct {
	limit int

	mu    sync.Mutex
	kept  map[blockOf]*list.Element
	order *list.List // of *keptBlock, the last read in front
	bytes int
}

type blockOf struct {
	file *weekFile
	key  int64
}

type keptBlock struct {
	of   blockOf
	rows []int64
}

// bytes is about how much memory a block takes here.
func (b *keptBlock) bytes() int { return 8*cap(b.rows) + 200 }

// numbersShare is of what share of the memory to count events a cache is.
const numbersShare = 8

func newNumberCache(limit int) *numberCache {
	return &numberCache{limit: limit, kept: make(map[blockOf]*list.Element), order: list.New()}
}

func (c *numberCache) find(file *weekFile, key int64) []int64 {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	element := c.kept[blockOf{file, key}]
	if element == nil {
		return nil
	}
	c.order.MoveToFront(element)
	return element.Value.(*keptBlock).rows
}

func (c *numberCache) put(file *weekFile, key int64, rows []int64) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	block := &keptBlock{blockOf{file, key}, rows}
	if c.kept[block.of] != nil {
		return
	}
	c.kept[block.of] = c.order.PushFront(block)
	for c.bytes += block.bytes(); c.bytes > c.limit; {
		c.drop(c.order.Back())
	}
}

func (c *numberCache) drop(element *list.Element) {
	block := c.order.Remove(element).(*keptBlock)
	delete(c.kept, block.of)
	c.bytes -= block.bytes()
}

// forget takes out all blocks of a file that nobody reads any more.
func (c *numberCache) forget(file *weekFile) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for workspaceID, blocks := range file.numbers {
		for at := range blocks {
			if element := c.kept[blockOf{file, blockKey(workspaceID, at)}]; element != nil {
				c.drop(element)
			}
		}
	}
}
