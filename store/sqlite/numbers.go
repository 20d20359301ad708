package sqlite

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"

	"tidings/store/sqlite/rowids"
)

// Among its words a sealed week says not the rowid of an event but its number: which of its
// workspace's it is, in the order of time and from 0. A term is of one workspace, so that two
// workspaces may have the same numbers. The table number has the rowids of the numbers, in
// blocks; everything else goes by rowids (ADR 0063).

// blockRows is how many rowids a block has, all but the last of a workspace. They fill a page.
// Only tests have others.
var blockRows = 1500

// numberedKey is the key in FTS5's table of settings, which takes others' too, under which is
// how many rows have numbers. Where there is none, the words say rowids.
const numberedKey = "numbered"

// errNumbers is a file whose words cannot be told which events they are of.
var errNumbers = errors.New("the numbers of its rows are damaged")

// numbers are the blocks of a file, by workspace.
type numbers map[int64][]numberBlock

// numberBlock is the beginning of a block: its first rowid, and how many there are.
type numberBlock struct {
	low  int64
	many int
}

// blockShift is where in a block's key its workspace is.
const blockShift = 20

func blockKey(workspaceID int64, block int) int64 { return workspaceID<<blockShift | int64(block) }

// packBlock writes rowids, which ascend: how far each is behind the one before, and a sum.
func packBlock(key int64, block []int64) []byte {
	var out []byte
	for i, rowid := range block[1:] {
		out = binary.AppendUvarint(out, uint64(rowid-block[i]))
	}
	return binary.BigEndian.AppendUint32(out, blockSum(key, block[0], len(block), out))
}

func blockSum(key, low int64, many int, steps []byte) uint32 {
	var head []byte
	for _, n := range []int64{key, low, int64(many)} {
		head = binary.BigEndian.AppendUint64(head, uint64(n))
	}
	return crc32.Update(crc32.ChecksumIEEE(head), crc32.IEEETable, steps)
}

func unpackBlock(key, low int64, many int, packed []byte) ([]int64, error) {
	end := len(packed) - crc32.Size
	if end < 0 || many < 1 || many > blockRows || binary.BigEndian.Uint32(packed[end:]) != blockSum(key, low, many, packed[:end]) {
		return nil, fmt.Errorf("%w: block %d", errNumbers, key)
	}
	block, steps := make([]int64, 1, many), packed[:end]
	block[0] = low
	for last := low; len(steps) > 0; {
		step, size := binary.Uvarint(steps)
		if size <= 0 || step == 0 || step > 1<<62 || last > 1<<62 {
			return nil, fmt.Errorf("%w: block %d does not ascend", errNumbers, key)
		}
		steps, last = steps[size:], last+int64(step)
		block = append(block, last)
	}
	if len(block) != many {
		return nil, fmt.Errorf("%w: block %d has %d rows", errNumbers, key, len(block))
	}
	return block, nil
}

// loadNumbers reads where blocks begin. What is missing or out of order is damage: a number
// would be another event's.
func (w *weekFile) loadNumbers(ctx context.Context) error {
	var total, found int64
	err := w.reader.QueryRowContext(ctx, "SELECT v FROM words_config WHERE k = ?", numberedKey).Scan(&total)
	if errors.Is(err, sql.ErrNoRows) {
		return w.withoutNumbers(ctx)
	}
	if err != nil {
		return err
	}
	rows, err := w.reader.QueryContext(ctx, "SELECT k, low, many FROM number ORDER BY k")
	if err != nil {
		return err
	}
	defer rows.Close()
	loaded := make(numbers)
	for rows.Next() {
		var key int64
		var b numberBlock
		if err := rows.Scan(&key, &b.low, &b.many); err != nil {
			return err
		}
		workspaceID := key >> blockShift
		before := loaded[workspaceID]
		if key != blockKey(workspaceID, len(before)) || b.many < 1 || b.many > blockRows || b.low < 0 ||
			len(before) > 0 && (before[len(before)-1].many != blockRows || before[len(before)-1].low >= b.low) {
			return fmt.Errorf("%w: block %d is not where it should be", errNumbers, key)
		}
		loaded[workspaceID] = append(before, b)
		found += int64(b.many)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if found != total {
		return fmt.Errorf("%w: there are %d of %d", errNumbers, found, total)
	}
	p := preparer{ctx: ctx, pool: w.reader}
	w.read.block = p.prepare(selectBlock)
	w.prepared = append(w.prepared, p.all...)
	w.numbers = loaded
	return p.err
}

const selectBlock = "SELECT low, many, steps FROM number WHERE k = ?"

// withoutNumbers refuses a file that has numbers and does not say so.
func (w *weekFile) withoutNumbers(ctx context.Context) error {
	var there bool
	err := w.reader.QueryRowContext(ctx, "SELECT count(*) > 0 FROM sqlite_master WHERE name = 'number'").Scan(&there)
	if err != nil || !there {
		return err
	}
	err = w.reader.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM number)").Scan(&there)
	if err == nil && there {
		err = fmt.Errorf("%w: how many there are is not said", errNumbers)
	}
	return err
}

// block reads a block of a workspace, with a statement on the connection of whoever asks.
func (w *weekFile) block(ctx context.Context, read *sql.Stmt, key int64) ([]int64, error) {
	if block := w.blocks.find(w, key); block != nil {
		return block, nil
	}
	var low int64
	var many int
	var steps []byte
	if err := read.QueryRowContext(ctx, key).Scan(&low, &many, &steps); err != nil {
		return nil, err
	}
	block, err := unpackBlock(key, low, many, steps)
	if err != nil {
		return nil, err
	}
	next := int(key&(1<<blockShift-1)) + 1
	if blocks := w.numbers[key>>blockShift]; next < len(blocks) && block[many-1] >= blocks[next].low {
		return nil, fmt.Errorf("%w: block %d does not end before the next", errNumbers, key)
	}
	w.blocks.put(w, key, block)
	return block, nil
}

// below is how many rows of a workspace are below a rowid.
func (w *weekFile) below(ctx context.Context, read *sql.Stmt, workspaceID, rowid int64) (int64, error) {
	blocks := w.numbers[workspaceID]
	if len(blocks) > 0 && rowid >= rowids.End(w.week) {
		return int64((len(blocks)-1)*blockRows + blocks[len(blocks)-1].many), nil
	}
	at, exact := slices.BinarySearchFunc(blocks, rowid, func(b numberBlock, rowid int64) int { return int(min(max(b.low-rowid, -1), 1)) })
	if exact || at == 0 {
		return int64(at * blockRows), nil
	}
	block, err := w.block(ctx, read, blockKey(workspaceID, at-1))
	if err != nil {
		return 0, err
	}
	within, _ := slices.BinarySearch(block, rowid)
	return int64((at-1)*blockRows + within), nil
}

// numbersIn are the numbers [from, until) that the words of a workspace's rows [low, high)
// have in the file.
func (w *weekFile) numbersIn(ctx context.Context, workspaceID, low, high int64) (from, until int64, err error) {
	if w.numbers == nil {
		return low, high, nil
	}
	if from, err = w.below(ctx, w.read.block, workspaceID, low); err != nil {
		return 0, 0, err
	}
	until, err = w.below(ctx, w.read.block, workspaceID, high)
	return from, until, err
}

// toRowids puts the rowids of a workspace's numbers in their place.
func (w *weekFile) toRowids(ctx context.Context, workspaceID int64, found []int64) error {
	if w.numbers == nil {
		return nil
	}
	var block []int64
	first := int64(0)
	for i, number := range found {
		if number < first || number >= first+int64(len(block)) {
			var err error
			if block, first, err = w.blockOf(ctx, w.read.block, workspaceID, number); err != nil {
				return err
			}
		}
		found[i] = block[number-first]
	}
	return nil
}

// blockOf is the block that a number of a workspace is in, and the first number of it.
func (w *weekFile) blockOf(ctx context.Context, read *sql.Stmt, workspaceID, number int64) (block []int64, first int64, err error) {
	at := number / int64(blockRows)
	if number < 0 || at >= int64(len(w.numbers[workspaceID])) {
		return nil, 0, fmt.Errorf("%w: there is no row %d", errNumbers, number)
	}
	first = at * int64(blockRows)
	block, err = w.block(ctx, read, blockKey(workspaceID, int(at)))
	if err == nil && number-first >= int64(len(block)) {
		err = fmt.Errorf("%w: there is no row %d", errNumbers, number)
	}
	return block, first, err
}

// numberOf is the number of a row, which has one.
func (w *weekFile) numberOf(ctx context.Context, read *sql.Stmt, workspaceID, rowid int64) (int64, error) {
	number, err := w.below(ctx, read, workspaceID, rowid)
	if err != nil {
		return 0, err
	}
	block, first, err := w.blockOf(ctx, read, workspaceID, number)
	if err == nil && block[number-first] != rowid {
		err = fmt.Errorf("%w: row %d has none", errNumbers, rowid)
	}
	return number, err
}

// number is what the words of a row are under in the file that is written.
func (tx *weekTx) number(workspaceID, rowid int64) (int64, error) {
	if tx.file.numbers == nil {
		return rowid, nil
	}
	return tx.file.numberOf(tx.ctx, tx.readBlock, workspaceID, rowid)
}

// clearNumbers takes the rowids of rows that were taken out from their numbers, which stay
// nobody's: each has the one behind the row before, which tells nothing of what was there, and
// the numbers still ascend. It is done once, behind all that is taken out: whose row before is
// gone too would tell of that.
func (w *weekFile) clearNumbers(ctx context.Context) error {
	if w.numbers == nil {
		return nil
	}
	return transact(ctx, w.writer, func(tx *sql.Tx) error {
		rows, _, err := rowsByWorkspace(ctx, tx)
		if err != nil {
			return err
		}
		for workspaceID := range w.numbers {
			if err := w.clearNumbersOf(ctx, tx, workspaceID, rows[workspaceID]); err != nil {
				return err
			}
		}
		return nil
	})
}

// clearNumbersOf is clearNumbers of a workspace that has these rows.
func (w *weekFile) clearNumbersOf(ctx context.Context, tx *sql.Tx, workspaceID int64, there []int64) error {
	read, write := tx.StmtContext(ctx, w.write.readBlock), tx.StmtContext(ctx, w.write.writeBlock)
	before := int64(-1)
	for at := range w.numbers[workspaceID] {
		key, changed := blockKey(workspaceID, at), false
		block, err := w.block(ctx, read, key)
		if err != nil {
			return err
		}
		for i, rowid := range block {
			if len(there) > 0 && there[0] == rowid {
				there = there[1:]
			} else if rowid != before+1 {
				block[i], changed = before+1, true
			}
			before = block[i]
		}
		if !changed {
			continue
		}
		if _, err := write.ExecContext(ctx, key, block[0], len(block), packBlock(key, block)); err != nil {
			return err
		}
	}
	if len(there) > 0 {
		return fmt.Errorf("%w: row %d has none", errNumbers, there[0])
	}
	return nil
}
