package page

import (
	"bytes"
	_ "embed"
	"html/template"

	"rnas/bench/report"
)

//go:embed page.html.tmpl
var pageText string

//go:embed page.css
var ownStyle string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"box": func() map[string]int {
		return map[string]int{"Width": chartWidth, "Height": chartHeight, "Left": chartLeft, "Right": chartRight, "Bottom": chartBottom}
	},
}).Parse(pageText))

// HTML is the content of File.
func (p *Page) HTML() ([]byte, error) {
	style := report.Style + ownStyle
	var b bytes.Buffer
	err := pageTemplate.Execute(&b, struct {
		*Page
		Style  template.CSS
		Policy string
	}{p, template.CSS(style), report.Policy(style)})
	return b.Bytes(), err
}
