from yyassess.cli import main

main()
