package cloudsim

import "slices"

// blockOf returns one block; blocks that were never written are zero.
func blockOf(blocks []int, n int) int {
	if n < len(blocks) {
		return blocks[n]
	}
	return 0
}

// WriteBlock writes a value into one block of a volume, 0 for zeros. The content gets a new version.
func (c *Cloud) WriteBlock(volumeID string, n, value int) {
	c.lock()
	defer c.mu.Unlock()
	v := mustFind(c.volumes.byID, "volume", volumeID)
	for len(v.blocks) <= n {
		v.blocks = append(v.blocks, 0)
	}
	v.blocks[n] = value
	v.content++
	c.noteVolume(v, "block "+itoa(n)+" written, content "+itoa(v.content))
}

// VolumeContent returns the blocks of a volume, up to the last one that was ever written.
func (c *Cloud) VolumeContent(volumeID string) []int {
	c.lock()
	defer c.mu.Unlock()
	return slices.Clone(mustFind(c.volumes.byID, "volume", volumeID).blocks)
}

// restored returns the content of a volume after a restore. From Cinder 22.0.0 to 28.0.0 zeros are not written into a volume
// that the restore creates: where an incremental has zeros, the data of its parents remains. In a given volume, and in older
// releases, all blocks are right.
func (c *Cloud) restored(b *backup, isNew bool) []int {
	if !isNew || !c.newerThanZed() {
		return slices.Clone(b.blocks)
	}
	var chain []*backup
	for at := b; at != nil; at = c.backups.byID[at.Parent] {
		chain = append(chain, at)
	}
	var out, before []int
	for _, link := range slices.Backward(chain) {
		for n := range max(len(link.blocks), len(before)) {
			value := blockOf(link.blocks, n)
			for len(out) <= n {
				out = append(out, 0)
			}
			if value != blockOf(before, n) && value != 0 {
				out[n] = value
			}
		}
		before = link.blocks
	}
	return out
}
