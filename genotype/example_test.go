package genotype_test

import (
	"fmt"

	"rnas/genotype"
)

func ExampleParse() {
	g, err := genotype.Parse(`best = Genotype(
		normal=[("sep_conv_3x3", 1), ("skip_connect", 0)], normal_concat=range(2, 3),
		reduce=[("max_pool_3x3", 0), ("max_pool_3x3", 1)], reduce_concat=range(2, 3))`)
	fmt.Println(g.Name, err)
	fmt.Println(g)
	// Output:
	// best <nil>
	// Genotype(normal=[('sep_conv_3x3', 1), ('skip_connect', 0)], normal_concat=[2], reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1)], reduce_concat=[2])
}
