package cloudsim

import (
	"encoding/hex"
	"math/rand/v2"
)

// identifiers makes identifiers from one seeded source, so that a failing test has the same ones again.
type identifiers struct{ r *rand.Rand }

func newIdentifiers(seed uint64) *identifiers {
	if seed == 0 {
		seed = rand.Uint64() //nolint:gosec // identifiers of a simulation, not secrets
	}
	return &identifiers{rand.New(rand.NewPCG(seed, 0x636c6f756473696d))} //nolint:gosec // as above
}

func (i *identifiers) bytes() [16]byte {
	var b [16]byte
	hi, lo := i.r.Uint64(), i.r.Uint64()
	for n := range 8 {
		b[n], b[8+n] = byte(hi>>(8*n)), byte(lo>>(8*n)) //nolint:gosec // the lowest byte is wanted
	}
	return b
}

// hex returns an identifier in Keystone's form.
func (i *identifiers) hex() string {
	b := i.bytes()
	return hex.EncodeToString(b[:])
}

// uuid returns an identifier in the form of Nova and Cinder.
func (i *identifiers) uuid() string {
	b := i.bytes()
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	var out [36]byte
	hex.Encode(out[0:8], b[0:4])
	hex.Encode(out[9:13], b[4:6])
	hex.Encode(out[14:18], b[6:8])
	hex.Encode(out[19:23], b[8:10])
	hex.Encode(out[24:36], b[10:16])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}
