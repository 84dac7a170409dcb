module conveyor.test/pause

go 1.23.0
