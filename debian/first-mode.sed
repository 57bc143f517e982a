# The line of the setting, with what the package says of it before.
/^#Mode=/c\
# Debian: nothing is refused until this line is removed, or says enforce. Until then\
# "lkmctl policy audit" lists what would have been, see lkmd-policy(5).\
Mode=audit
